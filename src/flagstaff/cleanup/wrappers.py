"""Which functions do nothing any more but return the flag's answer, and who calls them?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flagstaff.cleanup.elsewhere import Elsewhere
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.tree import Overlay, Tree


@dataclass(frozen=True, slots=True)
class Wrappers:
    """What the functions of a repository answer: by path and name, found in passes."""

    answers: dict[tuple[str, str], bool] = field(default_factory=dict)

    def found_in(self, work: Overlay) -> list[tuple[str, str]]:
        """Add the functions that the changes so far have left with an answer; return the new ones.

        A function that something takes by its name in a text, such as a test that puts another in
        its place, is none.
        """
        new = []
        for path in sorted(work.changed):
            if not path.endswith(".py"):
                continue
            before, after = parsed(work.below.read(path) or b""), parsed(work.read(path) or b"")
            if before is None or after is None:
                continue
            for name, truth in _emptied(before, after):
                key = (path, name)
                if key not in self.answers and not _is_named(work, path, name):
                    self.answers[key] = truth
                    new.append(key)
        return new

    def local(
        self, path: str, module: ast.Module
    ) -> tuple[dict[str, bool], dict[tuple[str, str], bool]]:
        """Return what plain names, and names of modules, answer in the module at `path`."""
        plain = {name: truth for (place, name), truth in self.answers.items() if place == path}
        owned: dict[tuple[str, str], bool] = {}
        if not self.answers:
            return plain, owned
        known = {(_stem(place), name): truth for (place, name), truth in self.answers.items()}
        for node in ast.walk(module):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            origin = (getattr(node, "module", None) or "").rpartition(".")[2]
            for alias in node.names:
                last = alias.name.rpartition(".")[2]
                if isinstance(node, ast.ImportFrom) and (origin, alias.name) in known:
                    plain[alias.asname or alias.name] = known[origin, alias.name]
                for (stem, name), truth in known.items():
                    if stem == last:
                        owned[alias.asname or last, name] = truth
        bound = _bound(module)
        defined = {name for place, name in self.answers if place == path}
        plain = {n: t for n, t in plain.items() if bound.count(n) == (1 if n in defined else 0)}
        return plain, owned


def callers(tree: Tree, path: str, name: str) -> tuple[str, ...]:
    """Return the files that call a function, its own among them."""
    return tuple(sorted({path, *Elsewhere(tree, path).importers(name)}))


def _emptied(before: ast.Module, after: ast.Module) -> Iterator[tuple[str, bool]]:
    old = _functions(before)
    for name, function in _functions(after).items():
        truth = _answer(function)
        if truth is not None and name in old and _answer(old[name]) is None:
            yield name, truth


def _functions(module: ast.Module) -> Mapping[str, ast.FunctionDef]:
    """Return the plain functions of a module that are defined once."""
    bound = _bound(module)
    return {
        node.name: node
        for node in module.body
        if isinstance(node, ast.FunctionDef)
        and not node.decorator_list
        and bound.count(node.name) == 1
    }


def _answer(function: ast.FunctionDef) -> bool | None:
    body = function.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    match body:
        case [ast.Return(value=ast.Constant(value=bool() as truth))]:
            return truth
    return None


def _bound(module: ast.Module) -> list[str]:
    """Return every name that a module binds other than by importing it."""
    names = []
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.append(name)
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                names.append(name)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.append(name)
            case ast.ExceptHandler(name=str() as name):
                names.append(name)
    return names


def _is_named(work: Overlay, path: str, name: str) -> bool:
    """Tell whether a text is the function's name, alone or as a part of its module."""
    pattern = re.compile(rf"""["'](?:[\w.]*\b{re.escape(_stem(path))}[.:])?{re.escape(name)}["']""")
    return any(
        pattern.search((work.read(other) or b"").decode("utf-8", "replace"))
        for other in work.containing((name,))
        if other.endswith(".py")
    )


def _stem(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
