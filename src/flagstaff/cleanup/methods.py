"""Which methods and properties do nothing any more but return the flag's answer, and who asks them?

What an object is cannot be seen where it is asked, so a method is followed only if nothing else in
the repository bears its name; for other objects than `self`, only if that says what it is about.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flagstaff.cleanup.asking import subject
from flagstaff.cleanup.elsewhere import is_code
from flagstaff.cleanup.patterns import word
from flagstaff.cleanup.syntax import chain, changed_modules, parsed
from flagstaff.cleanup.tree import Overlay, Tree

Asked: TypeAlias = dict[tuple[str, str], bool]

_PROPERTIES = frozenset({"property", "cached_property"})
_HARMLESS = _PROPERTIES | {"staticmethod", "classmethod", "cache", "lru_cache"}
_ITSELF = frozenset({"self", "cls"})
_FEW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of the class `owner` that only answers; `known` tells that its name is its own."""

    path: str
    owner: str
    name: str
    truth: bool
    is_property: bool
    known: bool


@dataclass(frozen=True, slots=True)
class Methods:
    """The methods of a repository that only answer, found in passes."""

    found: dict[tuple[str, str, str], Method] = field(default_factory=dict)

    def found_in(self, work: Overlay, flag: str) -> list[Method]:
        """Add the methods that the changes so far have left with an answer; return the new ones."""
        new = []
        for path, before, after in changed_modules(work):
            old = _methods(before)
            for (owner, name), node in _methods(after).items():
                truth = answer_of(node)
                key = (path, owner, name)
                was = old.get((owner, name))
                if truth is None or was is None or answer_of(was) is not None or key in self.found:
                    continue
                bearers = _bearers(work, name)
                if bearers is None:
                    continue
                self.found[key] = Method(
                    path=path,
                    owner=owner,
                    name=name,
                    truth=truth,
                    is_property=bool(_decorators(node) & _PROPERTIES),
                    known=not bearers and _is_telling(name, flag),
                )
                new.append(self.found[key])
        return new

    def local(self, path: str, module: ast.Module) -> tuple[Asked, Asked]:
        """Return what calls of methods, and properties, answer in a module, by owner and name."""
        calls: Asked = {}
        properties: Asked = {}
        for method in self.found.values():
            asked = properties if method.is_property else calls
            for owner in _owners(method, path, module):
                asked[owner, method.name] = method.truth
        return calls, properties


def is_idle(work: Overlay, method: Method) -> bool:
    """Tell whether a method was asked before, is not now, and can be called by nothing else."""
    pattern = word(method.name)
    return (
        method.known
        and _mentions(work.below, pattern, method.name) > 1
        and _mentions(work, pattern, method.name) == 1
    )


def asking(work: Overlay, method: Method) -> list[str]:
    """Return the Python files that name a method."""
    return [path for path in work.containing((method.name,)) if path.endswith(".py")]


def answer_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool | None:
    """Return what a function always answers, `None` if it does anything else."""
    body = function.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    match body:
        case [ast.Return(value=ast.Constant(value=bool() as truth))]:
            return truth
    return None


def _methods(module: ast.Module) -> Mapping[tuple[str, str], ast.FunctionDef]:
    """Return the methods that are defined once, in classes whose names are there once."""
    classes = [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    counted = Counter(node.name for node in classes)
    return {
        (each.name, node.name): node
        for each in classes
        if counted[each.name] == 1
        for node in each.body
        if isinstance(node, ast.FunctionDef)
        and [getattr(other, "name", "") for other in each.body].count(node.name) == 1
        and _decorators(node) <= _HARMLESS
    }


def _decorators(node: ast.FunctionDef) -> frozenset[str]:
    functions = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return frozenset((chain(each) or ("",))[-1] for each in functions)


def _is_telling(name: str, flag: str) -> bool:
    """Tell whether a name speaks of the flag, in words that no framework would choose."""
    words, own = subject(name), subject(flag)
    speaks = len(words & own) >= _FEW or (bool(words) and words <= own)
    return speaks and not name.startswith("__")


def _bearers(work: Overlay, name: str) -> list[str] | None:
    """Return what else may bear a method's name, `None` if another method or a text does."""
    quoted = re.compile(rf"""["'](?:[\w.]*[.:])?{re.escape(name)}["']""")
    defined, bearers = 0, []
    for path in work.containing((name,)):
        content = work.read(path) or b""
        module = parsed(content) if path.endswith(".py") else None
        if module is None:
            continue
        if quoted.search(content.decode("utf-8", "replace")):
            return None
        for node in ast.walk(module):
            match node:
                case (
                    ast.FunctionDef(name=other)
                    | ast.AsyncFunctionDef(name=other)
                    | ast.ClassDef(name=other)
                ) if other == name:
                    defined += 1
                case ast.Attribute(attr=attr, ctx=ast.Store() | ast.Del()) if attr == name:
                    return None
                case ast.Attribute(value=ast.Attribute(attr=attr)) if attr == name:
                    # `is_on.return_value`, say, has it answer something else.
                    return None
                case ast.keyword(arg=arg) if arg == name:
                    bearers.append(path)
            if isinstance(node, ast.ClassDef) and name in _fields(node):
                return None
    return bearers if defined == 1 else None


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _owners(method: Method, path: str, module: ast.Module) -> set[str]:
    """Return what the objects are called that have the method for certain in a module."""
    if method.known:
        attributes = (node for node in ast.walk(module) if isinstance(node, ast.Attribute))
        owners = {
            (chain(node.value) or ("",))[-1] for node in attributes if node.attr == method.name
        }
        return owners - {""}
    if path != method.path:
        return set()
    inside = 0
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and _is_a(node, method.owner):
            inside += _asked_of_itself(node, method.name)
    # In another class it would be the method of another.
    return set(_ITSELF) if inside == _asked_of_itself(module, method.name) else set()


def _is_a(node: ast.ClassDef, owner: str) -> bool:
    return node.name == owner or owner in {(chain(base) or ("",))[-1] for base in node.bases}


def _asked_of_itself(module: ast.AST, name: str) -> int:
    return sum(
        isinstance(node, ast.Attribute)
        and node.attr == name
        and getattr(node.value, "id", "") in _ITSELF
        for node in ast.walk(module)
    )


def _mentions(tree: Tree, pattern: re.Pattern[str], name: str) -> int:
    return sum(
        len(pattern.findall((tree.read(path) or b"").decode("utf-8", "replace")))
        for path in tree.containing((name,))
        if is_code(path)
    )
