"""Does this expression ask for the flag, and what is the answer?"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from flagstaff.cleanup.patterns import DEFAULT, CallPattern, Conventions

_BLOCKING = (cst.NamedExpr, cst.Yield)
_STATE_KEYWORDS = {"active", "value", "enabled", "on", "state"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is being removed: the flag, the answer that stays, and the names it goes by here.

    `names` are plain names that hold the flag's name in this file, `attributes` pairs such as
    `("Flags", "NEW_MENU")`.
    """

    flag: str
    keep: bool
    conventions: Conventions = DEFAULT
    names: frozenset[str] = frozenset()
    attributes: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def answer(self, call: cst.Call) -> bool | None:
        """Return what a call answers, `None` unless it asks for this flag."""
        pattern = self.conventions.pattern(last_name(call.func))
        if pattern is None or not self._asks(call, pattern) or _blocked(call):
            return None
        return self.keep is not pattern.negated

    def handle_answer(self, call: cst.Call, name: str) -> bool | None:
        """Return what `name(…)` or `name.is_enabled(…)` answers for the handle `name`."""
        if _blocked(call):
            return None
        match call.func:
            case cst.Name(value=value) if value == name:
                return self.keep
            case cst.Attribute(value=cst.Name(value=value), attr=attr) if value == name:
                pattern = self.conventions.pattern(attr.value)
                return None if pattern is None else self.keep is not pattern.negated
        return None

    def is_handle(self, value: cst.BaseExpression) -> bool:
        """Tell whether an expression makes an object bound to this flag."""
        return (
            isinstance(value, cst.Call)
            and isinstance(value.func, cst.Attribute)
            and value.func.attr.value in self.conventions.handles
            and bool(value.args)
            and self.is_name(value.args[0].value)
            and not _blocked(value)
        )

    def override(self, node: cst.BaseExpression) -> bool | None:
        """Return the value a test's override pins this flag to, `None` if it is not certain."""
        if not isinstance(node, cst.Call):
            return None
        if last_name(node.func) not in self.conventions.overrides:
            return None
        places = [i for i, arg in enumerate(node.args) if self.is_name(arg.value)]
        if len(places) != 1:
            return None
        states = [
            arg.value
            for i, arg in enumerate(node.args)
            if (arg.keyword is None and i == places[0] + 1)
            or (arg.keyword is not None and arg.keyword.value in _STATE_KEYWORDS)
        ]
        match states:
            case [cst.Name(value="True" | "False" as value)]:
                return value == "True"
        return None

    def is_name(self, node: cst.BaseExpression) -> bool:
        """Tell whether an expression is the flag's name: a literal or a constant that holds it."""
        match node:
            case cst.SimpleString() | cst.ConcatenatedString():
                return text_of(node) == self.flag
            case cst.Name(value=value):
                return value in self.names
            case cst.Attribute(value=owner, attr=cst.Name(value="value" | "name")) if isinstance(
                owner, cst.Attribute
            ):
                return self.is_name(owner)
            case cst.Attribute(value=owner, attr=attr):
                return (last_name(owner), attr.value) in self.attributes
        return False

    def _asks(self, call: cst.Call, pattern: CallPattern) -> bool:
        value = argument(call.args, pattern.position, pattern.keywords)
        return value is not None and self.is_name(value)


def last_name(node: cst.BaseExpression) -> str:
    """Return `c` of `a.b.c`, empty for what has no name."""
    match node:
        case cst.Name(value=value):
            return value
        case cst.Attribute(attr=attr):
            return attr.value
    return ""


def argument(
    args: Sequence[cst.Arg], position: int, keywords: Sequence[str]
) -> cst.BaseExpression | None:
    """Return the argument at `position`, or the one given by any of `keywords`."""
    for index, arg in enumerate(args):
        if arg.star:
            return None
        if arg.keyword is None and index == position:
            return arg.value
        if arg.keyword is not None and arg.keyword.value in keywords:
            return arg.value
    return None


def text_of(node: cst.BaseExpression) -> str | None:
    """Return the text of a string literal, `None` for everything else."""
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return None
    value = node.evaluated_value
    if isinstance(value, bytes) or value is None:
        return None
    return str(value)


class _Blockers(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.found = self.found or isinstance(node, _BLOCKING)
        return not self.found


def _blocked(call: cst.Call) -> bool:
    """Arguments that bind names or suspend the function cannot simply be dropped."""
    visitor = _Blockers()
    call.visit(visitor)
    return visitor.found


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Constant:
    """A name that holds the flag's name: `owner` is its class, or the stem of its module."""

    path: str
    owner: str
    name: str
    line: int
    in_class: bool


def constants_in(path: str, module: ast.Module, flag: str) -> tuple[Constant, ...]:
    """Return the constants of a module, and of its classes, whose value is the flag's name."""
    stem = path.rpartition("/")[2].removesuffix(".py")
    if stem == "__init__":
        stem = path.rpartition("/")[0].rpartition("/")[2]
    found = [
        Constant(path=path, owner=stem, name=name, line=line, in_class=False)
        for name, line in _assigned(module.body, flag)
    ]
    for statement in ast.walk(module):
        if isinstance(statement, ast.ClassDef):
            found += [
                Constant(path=path, owner=statement.name, name=name, line=line, in_class=True)
                for name, line in _assigned(statement.body, flag)
            ]
    return tuple(found)


def _assigned(body: Sequence[ast.stmt], flag: str) -> list[tuple[str, int]]:
    found = []
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value))
            ) if value == flag:
                found.append((name, statement.lineno))
    return found


def local_names(module: ast.Module, path: str, constants: Sequence[Constant]) -> frozenset[str]:
    """Return the plain names which mean one of the constants in the module at `path`."""
    here = {c.name for c in constants if c.path == path and not c.in_class}
    # Assigned twice, a name may hold something else by the time it is read.
    stored = [
        n.id for n in ast.walk(module) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    names = {name for name in here if stored.count(name) == 1}
    importable = {(c.owner, c.name) for c in constants if not c.in_class}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            origin = (node.module or "").rpartition(".")[2]
            names |= {
                alias.asname or alias.name
                for alias in node.names
                if (origin, alias.name) in importable and (alias.asname or alias.name) not in stored
            }
    return frozenset(names)
