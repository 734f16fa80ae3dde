"""Whose settings are read here: those of the program, or of somebody in it?"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from flagstaff.cleanup.asking import holds_flags, lists_flags

_PROGRAMS = frozenset({"app", "current_app", "application", "os", "django"})


def holds_settings(node: cst.BaseExpression, flag: str) -> bool:
    """Tell whether an expression holds what the flags of the program are set to.

    `user.settings.new_menu` is what one user chose, `app.settings.new_menu` is not.
    """
    return of_program(chain_of(node), flag)


def of_program(names: Sequence[str], flag: str) -> bool:
    """Tell whether the names of `a.b.c` lead to what the flags of the program are set to."""
    if not names or not holds_flags(names[-1]):
        return False
    return (
        len(names) == 1
        or lists_flags(names[-1])
        or names[-1].isupper()
        or flag.isupper()
        or any(name in _PROGRAMS or holds_flags(name) for name in names[:-1])
    )


def chain_of(node: cst.BaseExpression) -> list[str]:
    """Return the names of `a.b.c`, of which only the last are known where it begins otherwise."""
    match node:
        case cst.Name(value=value):
            return [value]
        case cst.Attribute(value=owner, attr=attr):
            return [*(chain_of(owner) or [""]), attr.value]
    return []
