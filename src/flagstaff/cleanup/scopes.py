"""Is a function still the same kind of function after a part of it went?"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import libcst as cst


class _Scope(cst.CSTVisitor):
    """What one function says outside of the functions and classes within it."""

    def __init__(self) -> None:
        super().__init__()
        self.yields = False
        self.declared: set[str] = set()
        self.used: set[str] = set()
        self._depth = 0

    def visit_Yield(self, node: cst.Yield) -> None:
        del node
        self.yields = self.yields or self._depth == 1

    def visit_NameItem(self, node: cst.NameItem) -> bool:
        if self._depth == 1:
            self.declared.add(node.name.value)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.used.add(node.value)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        del node
        self._depth += 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        del original_node
        self._depth -= 1

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        del node
        self._depth += 1

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        del original_node
        self._depth -= 1

    def visit_Lambda(self, node: cst.Lambda) -> None:
        del node
        self._depth += 1

    def leave_Lambda(self, original_node: cst.Lambda) -> None:
        del original_node
        self._depth -= 1


def same_kind(before: cst.FunctionDef, after: cst.FunctionDef) -> bool:
    """Tell whether `after` is a generator as `before` is, and keeps its needed declarations."""
    old, new = _Scope(), _Scope()
    before.visit(old)
    after.visit(new)
    return old.yields is new.yields and not (old.declared - new.declared) & new.used
