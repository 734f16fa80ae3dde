"""Which tests did a clean-up take away as a whole?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flagstaff.cleanup.changes import Reference, ReferenceKind
from flagstaff.cleanup.python_files import is_test
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.tree import Tree


def dropped_tests(before: Tree, after: Tree, paths: list[str]) -> Iterator[Reference]:
    """Yield the first lines of the tests that are gone, each with the number that it had."""
    for path in paths:
        old = before.read(path) or b""
        if not (path.endswith(".py") and is_test(path)):
            continue
        left = {name for name, _ in _tests(after.read(path) or b"")}
        lines = old.decode("utf-8", "replace").splitlines()
        for name, line in _tests(old):
            if name not in left and line <= len(lines):
                text = lines[line - 1].strip()
                yield Reference(path=path, line=line, kind=ReferenceKind.DROPPED, text=text)


def _tests(content: bytes) -> list[tuple[str, int]]:
    module = parsed(content)
    return [] if module is None else list(_within(module, ""))


def _within(node: ast.Module | ast.ClassDef, owner: str) -> Iterator[tuple[str, int]]:
    for each in node.body:
        match each:
            case ast.ClassDef(name=name):
                yield from _within(each, f"{owner}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test"):
                    yield f"{owner}{name}", each.lineno
