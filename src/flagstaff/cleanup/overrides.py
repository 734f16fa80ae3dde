"""What becomes of the tests that pin the flag?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import libcst as cst

from flagstaff.cleanup.answers import Question
from flagstaff.cleanup.markers import gone, is_emptied, known


class Overrides(cst.CSTTransformer):
    """Unwrap what pins the flag to the answer that stays; drop tests of the other answer."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._tests: list[tuple[set[bool], bool]] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        pinned = _Pinned(self._question)
        node.body.visit(pinned)
        inside = bool(self._tests) and self._tests[-1][1]
        self._tests.append((pinned.values, inside or node.name.value.startswith("test")))

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        pinned, _ = self._tests.pop()
        keep = self._question.keep
        is_test = original_node.name.value.startswith("test")
        if is_test and pinned == {not keep}:
            return gone(updated_node)
        kept, losing = self._decorators(updated_node)
        if losing:
            return gone(updated_node) if is_test else updated_node
        return updated_node.with_changes(decorators=kept)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef | cst.SimpleStatementLine:
        name = original_node.name.value
        is_test = name.startswith("Test") or name.endswith(("Test", "Tests", "TestCase"))
        kept, losing = self._decorators(updated_node)
        if losing:
            return gone(updated_node) if is_test else updated_node
        if is_test and is_emptied(updated_node.body):
            return gone(updated_node)
        return updated_node.with_changes(decorators=kept)

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.With | cst.If:
        del original_node
        kept, losing = [], False
        for item in updated_node.items:
            value = None if item.asname else self._question.override(item.item)
            losing = losing or value is (not self._question.keep)
            if value is not self._question.keep:
                kept.append(item)
        if losing and not (self._tests and self._tests[-1][1]):
            return updated_node
        if losing or not kept:
            # Spliced, or dropped, with all that hangs on it, by the evaluation.
            return cst.If(
                test=known(truth=not losing),
                body=updated_node.body,
                leading_lines=updated_node.leading_lines,
            )
        if len(kept) == len(updated_node.items):
            return updated_node
        kept[-1] = kept[-1].with_changes(comma=updated_node.items[-1].comma)
        return updated_node.with_changes(items=kept)

    def _decorators(self, node: cst.FunctionDef | cst.ClassDef) -> tuple[list[cst.Decorator], bool]:
        values = [self._question.override(decorator.decorator) for decorator in node.decorators]
        keep = self._question.keep
        pairs = zip(node.decorators, values, strict=True)
        return [d for d, value in pairs if value is not keep], (not keep) in values


class _Pinned(cst.CSTVisitor):
    """The values which the `with` statements of a function pin the flag to."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self.values: set[bool] = set()

    def visit_WithItem(self, node: cst.WithItem) -> None:
        value = self._question.override(node.item)
        if value is not None:
            self.values.add(value)
