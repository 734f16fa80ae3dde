"""Which functions do nothing any more but return the flag's answer, and who calls them?"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from flagstaff.cleanup.doubles import is_only_pinned
from flagstaff.cleanup.elsewhere import Elsewhere
from flagstaff.cleanup.methods import answer_of
from flagstaff.cleanup.modules import Modules
from flagstaff.cleanup.syntax import chain, changed_modules, parsed
from flagstaff.cleanup.tree import Overlay, Tree

Key = TypeVar("Key")
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_KEEPING = frozenset({"cache", "lru_cache"})
"""Decorators that change nothing of what a function answers."""


@dataclass(frozen=True, slots=True)
class Wrappers:
    """What the functions of a repository answer: by path and name, found in passes.

    `doubles` are those that tests have answer something else, by name alone.
    """

    answers: dict[tuple[str, str], bool] = field(default_factory=dict)
    doubles: dict[str, bool] = field(default_factory=dict)

    def found_in(self, work: Overlay) -> list[tuple[str, str]]:
        """Add the functions that the changes so far have left with an answer; return the new ones.

        A function that something takes by its name in a text is none, unless that is a test that
        has it answer a truth.
        """
        new = []
        for path, before, after in changed_modules(work):
            for name, truth in _emptied(before, after):
                key = (path, name)
                waits = isinstance(_functions(after)[name], ast.AsyncFunctionDef)
                if waits and not _is_awaited(work, name):
                    continue
                if key in self.answers:
                    continue
                if _is_named(work, path, name) or _is_quoted(work, name):
                    if not is_only_pinned(work, name):
                        continue
                    self.doubles[name] = truth
                self.answers[key] = truth
                new.append(key)
        return new

    def local(
        self, path: str, module: ast.Module, modules: Modules
    ) -> tuple[dict[str, bool], dict[tuple[str, str], bool]]:
        """Return what plain names, and names of modules, answer in the module at `path`."""
        plain = {name: truth for (place, name), truth in self.answers.items() if place == path}
        if not self.answers:
            return plain, {}
        defined = frozenset(plain)
        functions = {function for _, function in self.answers}
        named: dict[str, set[bool | None]] = defaultdict(set)
        owned: dict[tuple[str, str], set[bool | None]] = defaultdict(set)
        for here, function, files in _imported(path, module, modules):
            if function:
                named[here].add(self._agreed(files, function))
            elif files:
                for each in functions:
                    owned[here, each].add(self._agreed(files, each))
        plain |= _sure(named)
        bound = _bound(module)
        plain = {n: t for n, t in plain.items() if bound.count(n) == (1 if n in defined else 0)}
        return plain, _sure(owned)

    def _agreed(self, files: Sequence[str], function: str) -> bool | None:
        """Return the answer if it is the same whichever of the files is meant."""
        found = {self.answers.get((file, function)) for file in files}
        return found.pop() if len(found) == 1 else None


def _sure(found: Mapping[Key, set[bool | None]]) -> dict[Key, bool]:
    """Return the names that have one answer, whatever they were imported from."""
    return {
        key: truth
        for key, truths in found.items()
        if len(truths) == 1 and (truth := next(iter(truths))) is not None
    }


def _imported(
    path: str, module: ast.Module, modules: Modules
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each name that an import binds, the function that it is, and where that may be.

    A name that is a module's, or may be, has no function.
    """
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    parts = tuple(alias.name.split("."))
                    yield alias.asname or parts[-1], "", modules.files(path, parts)
            case ast.ImportFrom(module=origin, names=names, level=level):
                parts = tuple(origin.split(".")) if origin else ()
                for alias in names:
                    here = alias.asname or alias.name
                    yield here, alias.name, modules.files(path, parts, level)
                    yield here, "", modules.files(path, (*parts, alias.name), level)


def callers(tree: Tree, path: str, name: str, *, named: bool) -> tuple[str, ...]:
    """Return the files that call a function, its own among them, or those that name it at all."""
    if named:
        return tuple(each for each in tree.containing((name,)) if each.endswith(".py"))
    return tuple(sorted({path, *Elsewhere(tree, path).importers(name)}))


def _emptied(before: ast.Module, after: ast.Module) -> Iterator[tuple[str, bool]]:
    old = _functions(before)
    for name, function in _functions(after).items():
        truth = answer_of(function)
        if truth is not None and name in old and answer_of(old[name]) is None:
            yield name, truth


def _functions(module: ast.Module) -> Mapping[str, _Function]:
    """Return the plain functions of a module that are defined once."""
    bound = _bound(module)
    return {
        node.name: node
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and all(_keeps(each) for each in node.decorator_list)
        and bound.count(node.name) == 1
    }


def _keeps(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return bool(chain(function)) and chain(function)[-1] in _KEEPING


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


def _is_awaited(work: Overlay, name: str) -> bool:
    """Tell whether every call of that name awaits it at once, and nothing else is done with it.

    An import under another name is something else: its calls are not found by the name.
    """
    for path in work.containing((name,)):
        module = parsed(work.read(path) or b"") if path.endswith(".py") else None
        if module is None:
            continue
        awaited = {
            id(node.value.func)
            for node in ast.walk(module)
            if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        }
        for node in ast.walk(module):
            match node:
                case ast.Name(id=found) | ast.Attribute(attr=found) if found == name:
                    if id(node) not in awaited:
                        return False
                case ast.alias(name=found, asname=str()) if found == name:
                    return False
    return True


def _is_quoted(work: Overlay, name: str) -> bool:
    """Tell whether a text ends with a function's name, whose module may be any that imports it."""
    pattern = re.compile(rf"""["'][\w.]*[.:]{re.escape(name)}["']""")
    return any(
        pattern.search((work.read(other) or b"").decode("utf-8", "replace"))
        for other in work.containing((name,))
        if other.endswith(".py")
    )


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
