"""Is this Python, and how is it built?"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from functools import lru_cache

from flagstaff.cleanup.tree import Overlay

_FEW = 32
"""Files of which the trees are kept: one question after the other is asked of the same ones."""


@lru_cache(maxsize=_FEW)
def parsed(content: bytes) -> ast.Module | None:
    """Return the syntax tree of Python source, `None` if it is none; nobody changes it."""
    with warnings.catch_warnings():
        # Odd escapes in other people's code are none of our business.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(content)
        except (SyntaxError, ValueError, RecursionError):
            return None


def changed_modules(work: Overlay) -> Iterator[tuple[str, ast.Module, ast.Module]]:
    """Yield the Python files that are changed, each with its tree before and after."""
    for path in sorted(work.changed):
        if path.endswith(".py"):
            before, after = parsed(work.below.read(path) or b""), parsed(work.read(path) or b"")
            if before is not None and after is not None:
                yield path, before, after


def chain(node: ast.expr) -> tuple[str, ...]:
    """Return the parts of `a.b.c`, nothing for what does not begin with a plain name.

    >>> chain(ast.parse("a.b.c", mode="eval").body)
    ('a', 'b', 'c')
    """
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=owner, attr=attr):
            before = chain(owner)
            return (*before, attr) if before else ()
    return ()
