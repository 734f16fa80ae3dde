"""What becomes of the tests that pin the flag?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import libcst as cst

from flagstaff.cleanup.answers import Question
from flagstaff.cleanup.markers import Gone, gone, is_emptied, known
from flagstaff.cleanup.stories import Story


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
            return self._unpinned(original_node, updated_node)
        kept, losing = self._decorators(updated_node)
        if losing:
            return gone(updated_node) if is_test else updated_node
        return updated_node.with_changes(decorators=kept)

    def _unpinned(
        self, original: cst.FunctionDef, updated: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        """Return a test without what it did under the losing answer, nothing if that was all."""
        story = Story(self._question, overridden=False)
        original.body.visit(story)
        made = story.made_while_pinned
        if all(made & looked for looked in story.looks):
            return gone(updated)
        # What was made while the flag was pinned may be looked at, or used, afterwards.
        return original if made & story.used else updated

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


class SetUps(cst.CSTTransformer):
    """Drop the statements of tests that give the flag the state that stays.

    Of functions that give it the other one, a whole test goes; anything else is left.
    """

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._losing = [False]

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        del node
        self._losing.append(False)

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        losing = self._losing.pop()
        if not losing:
            return updated_node
        story = Story(self._question)
        original_node.body.visit(story)
        if original_node.name.value.startswith("test") and story.is_of_the_other_answer:
            return gone(updated_node)
        return original_node

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        del original_node
        match updated_node.value:
            case cst.Call() as call:
                return self._after(self._question.set_up(call), updated_node)
        return updated_node

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        del original_node
        return self._after(pinned_by(self._question, updated_node), updated_node)

    def _after(self, state: bool | None, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:  # noqa: FBT001
        if state is self._question.keep:
            return Gone()
        self._losing[-1] = self._losing[-1] or state is not None
        return node


def pinned_by(question: Question, node: cst.Assign) -> bool | None:
    """Return what `flags["name"] = True` or `settings.NAME = True` gives the flag."""
    match node:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Subscript() | cst.Attribute() as target)],
            value=cst.Name(value="True" | "False" as value),
        ) if question.setting(target):
            return value == "True"
    return None


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
