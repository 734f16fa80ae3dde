"""Which imports and names did only the removed code use?"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from flagstaff.cleanup.conditions import is_pure
from flagstaff.cleanup.literals import without_names
from flagstaff.cleanup.markers import Gone, gone

# A function that calls itself does so in a few places.
_FEW = 8
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_LOGGERS = {"getlogger", "gettasklogger"}
_PLAIN_BASES = {"object", "Exception", "ValueError", "RuntimeError", "Protocol", "NamedTuple"}


@dataclass(frozen=True, slots=True)
class Uses:
    """How often each name is read, and how often it is bound other than by an import."""

    read: Counter[str]
    bound: Counter[str]


@dataclass(frozen=True, slots=True)
class Start:
    """What was in use before the clean-up."""

    whole: Uses
    own_only: frozenset[str]

    @classmethod
    def of(cls, module: cst.Module) -> Start:
        """Count what a module uses."""
        tree = ast.parse(module.bytes)
        whole = counted(tree)
        return cls(whole, _own_only(tree, whole))


def drop_unused(before: Start, after: cst.Module, keeps: Callable[[str], bool]) -> cst.Module:
    """Drop imports, and module-level names, that were used `before` and no longer are.

    `keeps` tells whether other files use a name of this one.
    """
    tree = ast.parse(after.bytes)
    new = counted(tree)
    lost = {name for name, count in before.whole.read.items() if count and not new.read[name]}
    lost |= _own_only(tree, new) - before.own_only
    if not lost:
        return after
    imported = {name for name in lost if not new.bound[name]}
    dropper = _Dropper(imported, lost, keeps)
    dropper.shallow = not _imports_within(tree, imported)
    module = after.visit(dropper)
    return module if dropper.dropped and isinstance(module, cst.Module) else after


def _imports_within(module: ast.Module, names: set[str]) -> bool:
    """Tell whether an import of any of the names stands deeper than in the module itself."""
    top = set(module.body)
    return any(
        (alias.asname or alias.name.partition(".")[0]) in names
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in top
        for alias in node.names
    )


def uses(module: cst.Module) -> Uses:
    """Count the uses of names within a module.

    Python's own tree is read for it, which takes a tenth of the time of LibCST's.
    """
    return counted(ast.parse(module.bytes))


def counted(*nodes: ast.AST) -> Uses:
    """Count the uses of names within Python's own trees."""
    counter = _Uses()
    for node in nodes:
        counter.visit(node)
    return Uses(counter.read, counter.bound)


def _own_only(module: ast.Module, whole: Uses) -> frozenset[str]:
    """Return the functions and classes which nothing but themselves uses."""
    return frozenset(
        s.name
        for s in module.body
        if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and whole.read[s.name] < _FEW
        and whole.read[s.name] == (counted(*s.body).read[s.name] if whole.read[s.name] else 0)
    )


class _Uses(ast.NodeVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[str] = Counter()
        self.bound: Counter[str] = Counter()

    def visit_Name(self, node: ast.Name) -> None:
        self.read[node.id] += 1

    def visit_Import(self, node: ast.Import) -> None:
        del node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        del node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.bound[node.name] += 1
        self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.bound[node.name] += 1
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bound[node.name] += 1
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.bound[node.arg] += 1
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._target(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._target(node.target)
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        # `__all__`, annotations in quotes, names for `getattr`.
        if isinstance(node.value, str):
            self.read.update(_WORD.findall(node.value))

    def visit_Global(self, node: ast.Global) -> None:
        self.read.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.read.update(node.names)

    def _target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.bound[target.id] += 1
        else:
            self.visit(target)


class _Dropper(cst.CSTTransformer):
    def __init__(self, imported: set[str], lost: set[str], keeps: Callable[[str], bool]) -> None:
        super().__init__()
        self._imported = imported
        self._lost = lost
        self._keeps = keeps
        self._depth = 0
        self.dropped = False
        self.shallow = False

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> bool:
        del node
        self._depth += 1
        return not self.shallow

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        del original_node
        self._depth -= 1
        return updated_node

    def leave_Import(
        self, original_node: cst.Import, updated_node: cst.Import
    ) -> cst.BaseSmallStatement:
        del original_node
        kept = self._kept(updated_node.names)
        if len(kept) == len(updated_node.names):
            return updated_node
        return updated_node.with_changes(names=kept) if kept else Gone()

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.BaseSmallStatement:
        del original_node
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        kept = self._kept(updated_node.names)
        if len(kept) == len(updated_node.names):
            return updated_node
        return updated_node.with_changes(names=kept) if kept else Gone()

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        del original_node
        if self._depth or updated_node.decorators or not self._goes(updated_node.name.value):
            return updated_node
        return gone(updated_node)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef | cst.SimpleStatementLine:
        del original_node
        # Other bases and keywords may register the class somewhere.
        plain = not updated_node.keywords and not updated_node.decorators
        plain = plain and all(
            isinstance(base.value, cst.Name) and base.value.value in _PLAIN_BASES
            for base in updated_node.bases
        )
        if self._depth or not plain or not self._goes(updated_node.name.value):
            return updated_node
        return gone(updated_node)

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                idle = is_pure(value) or _makes_logger(value)
                if not self._depth and idle and self._goes(name):
                    return Gone()
        return updated_node

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node:
            case cst.AnnAssign(target=cst.Name(value=name), value=value) if value is not None:
                if not self._depth and is_pure(value) and self._goes(name):
                    return Gone()
        return updated_node

    def _goes(self, name: str) -> bool:
        # A dunder such as `__all__` is read by Python itself.
        goes = name in self._lost and not name.startswith("__") and not self._keeps(name)
        self.dropped = self.dropped or goes
        return goes

    def _kept(self, names: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
        kept = without_names(names, [self._unused(alias) for alias in names])
        self.dropped = self.dropped or len(kept) < len(names)
        return kept

    def _unused(self, alias: cst.ImportAlias) -> bool:
        name = alias.evaluated_alias or alias.evaluated_name.partition(".")[0]
        return name in self._imported and not self._keeps(name)


def _makes_logger(node: cst.BaseExpression) -> bool:
    """Tell whether a value is `logging.getLogger(__name__)`, or what other libraries call it."""
    match node:
        case cst.Call(func=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))):
            return name.lower().replace("_", "") in _LOGGERS and all(
                is_pure(arg.value) for arg in node.args
            )
    return False
