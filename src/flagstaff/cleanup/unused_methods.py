"""Which methods did only the removed code call?

A method that only looks unused may be called by a framework. So one goes only if its own class
called it as `self._name(…)` in what is gone, if nothing in the repository names it any more, and if
either its name is private or the class stands on no other.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator

from flagstaff.cleanup.syntax import chain

_PLAIN = frozenset({"object"})
_HARMLESS = frozenset({"staticmethod", "classmethod"})


def unused_methods(
    before: ast.Module, after: ast.Module, named: Callable[[str], int]
) -> frozenset[str]:
    """Return `Class.method` of the methods that only the removed code called.

    Args:
        before: the module as it was.
        after: the module without the flag.
        named: how often the repository still names something.
    """
    old = {owner: _called(node) for owner, node in _classes(before)}
    return frozenset(
        f"{owner}.{name}"
        for owner, node in _classes(after)
        for name in _droppable(node)
        if old.get(owner, Counter())[name] > _called(node)[name] == 0 and named(name) == 1
    )


def _classes(module: ast.Module) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield node.name, node


def _called(node: ast.ClassDef) -> Counter[str]:
    """Count the names which a class reads of itself."""
    return Counter(
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute)
        and getattr(each.value, "id", "") in {"self", "cls", node.name}
    )


def _droppable(node: ast.ClassDef) -> Iterator[str]:
    bases = {(chain(base) or ("",))[-1] for base in node.bases}
    free = bases <= _PLAIN and not node.keywords and not node.decorator_list
    for each in node.body:
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        plain = {(chain(d) or ("",))[-1] for d in each.decorator_list} <= _HARMLESS
        private = each.name.startswith("_") and not each.name.startswith("__")
        # What goes on to the class below may be called by it, too.
        passes_on = any(getattr(n, "id", "") == "super" for n in ast.walk(each))
        if passes_on:
            continue
        if plain and (private or (free and not each.name.startswith("__"))):
            yield each.name
