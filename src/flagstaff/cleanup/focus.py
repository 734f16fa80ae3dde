"""Which parts of a large module need not be looked at, pass after pass?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst

_PRINTER = cst.Module([])


class Focus:
    """The statements of a module that name none of some words, and so nothing becomes of them.

    A statement that was visited is another node afterwards; one that was not is the same, so what
    is dull stays dull through all passes.
    """

    def __init__(self, module: cst.Module, words: Iterable[str]) -> None:
        self._dull: dict[int, cst.CSTNode] = {}
        self._words = tuple(words)
        self._sort(module.body)

    def visited(self, module: cst.Module, visitor: cst.CSTTransformer) -> cst.Module:
        """Return the module after a visit that leaves out what is dull."""
        changed = module.visit(_Narrowed(visitor, self._dull))
        return changed if isinstance(changed, cst.Module) else module

    def _sort(self, body: Sequence[cst.CSTNode]) -> None:
        for statement in body:
            code = _PRINTER.code_for_node(statement)
            if not any(word in code for word in self._words):
                self._dull[id(statement)] = statement
            elif isinstance(statement, cst.ClassDef):
                self._sort(statement.body.body)


class _Narrowed(cst.CSTTransformer):
    def __init__(self, visitor: cst.CSTTransformer, dull: dict[int, cst.CSTNode]) -> None:
        super().__init__()
        self._visitor = visitor
        self._dull = dull

    def on_visit(self, node: cst.CSTNode) -> bool:
        return id(node) not in self._dull and self._visitor.on_visit(node)

    def on_leave(  # type: ignore[override]  # LibCST types this per node
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> object:
        if id(original_node) in self._dull:
            return updated_node
        return self._visitor.on_leave(original_node, updated_node)

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        self._visitor.on_visit_attribute(node, attribute)

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        self._visitor.on_leave_attribute(original_node, attribute)
