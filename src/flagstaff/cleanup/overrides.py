"""What becomes of the tests that pin the flag?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from flagstaff.cleanup.answers import Question
from flagstaff.cleanup.contained import contained
from flagstaff.cleanup.handed import told_at_once, without_handed
from flagstaff.cleanup.markers import Gone, Unpinned, gone, is_emptied, is_gone, known
from flagstaff.cleanup.patterns import word
from flagstaff.cleanup.pins import (
    Pin,
    forgets,
    mock_made,
    mock_told,
    mocks_in,
    pin_of,
    pinned_by,
    set_up,
)
from flagstaff.cleanup.stories import Story


@dataclass(slots=True)
class _Function:
    """What is known of a function: `contained` are the blocks that go with what is in them."""

    values: set[bool]
    in_test: bool
    contained: frozenset[int] = frozenset()
    is_unpinned: bool = False


class Overrides(cst.CSTTransformer):
    """Unwrap what pins the flag to the answer that stays; drop tests of the other answer.

    Of a test that goes on after what it did under the other answer, only the pin goes.
    """

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._functions: list[_Function] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        pinned = _Pinned(self._question)
        node.body.visit(pinned)
        inside = bool(self._functions) and self._functions[-1].in_test
        is_test = inside or node.name.value.startswith("test")
        function = _Function(pinned.values, in_test=is_test)
        if is_test and (not self._question.keep) in pinned.values:
            function.contained = contained(node, self._loses)
        self._functions.append(function)

    def _loses(self, node: cst.With) -> bool:
        pins = [None if item.asname else pin_of(self._question, item.item) for item in node.items]
        return any(pin is not None and pin.state is not self._question.keep for pin in pins)

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        function = self._functions.pop()
        keep = self._question.keep
        is_test = original_node.name.value.startswith("test")
        if function.is_unpinned:
            name = Unpinned(updated_node.name.value)
            updated_node = updated_node.with_changes(name=name)
        if is_test and function.values == {not keep}:
            return self._unpinned(original_node, updated_node)
        if is_test:
            updated_node = told_at_once(
                updated_node, lambda call: pin_of(self._question, call) is not None
            )
        kept, losing = self._decorators(updated_node)
        if losing:
            return gone(updated_node) if is_test else updated_node
        going = [
            place
            for place, each in enumerate(updated_node.decorators)
            if self._rest(each.decorator, pin_of(self._question, each.decorator)) is None
        ]
        handed = without_handed(updated_node, going)
        return updated_node if handed is None else handed.with_changes(decorators=kept)

    def _unpinned(
        self, original: cst.FunctionDef, updated: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        """Return a test without what it did under the losing answer, nothing if that was all."""
        story = Story(self._question, overridden=False)
        original.body.visit(story)
        made = story.made_while_pinned
        return gone(updated) if all(made & looked for looked in story.looks) else updated

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
        function = self._functions[-1] if self._functions else None
        losing = self._loses(original_node)
        if losing and (function is None or not function.in_test):
            return updated_node
        goes = function is not None and id(original_node) in function.contained
        kept = []
        for item in updated_node.items:
            pin = None if item.asname else pin_of(self._question, item.item)
            rest = item.item if pin is None else pin.rest
            if rest is not None:
                kept.append(item.with_changes(item=rest))
        if losing and not goes and function is not None:
            function.is_unpinned = True
        if goes or not kept:
            # Spliced, or dropped, with all that hangs on it, by the evaluation.
            return cst.If(
                test=known(truth=not goes),
                body=updated_node.body,
                leading_lines=updated_node.leading_lines,
            )
        kept[-1] = kept[-1].with_changes(comma=updated_node.items[-1].comma)
        return updated_node.with_changes(items=kept)

    def _decorators(self, node: cst.FunctionDef | cst.ClassDef) -> tuple[list[cst.Decorator], bool]:
        pins = [pin_of(self._question, decorator.decorator) for decorator in node.decorators]
        losing = any(pin is not None and pin.state is not self._question.keep for pin in pins)
        rests = [self._rest(d.decorator, pin) for d, pin in zip(node.decorators, pins, strict=True)]
        pairs = zip(node.decorators, rests, strict=True)
        return [d.with_changes(decorator=rest) for d, rest in pairs if rest is not None], losing

    def _rest(self, node: cst.BaseExpression, pin: Pin | None) -> cst.BaseExpression | None:
        """Return what stays of an expression: what a pin to the answer that stays pins besides."""
        return node if pin is None or pin.state is not self._question.keep else pin.rest


class SetUps(cst.CSTTransformer):
    """Drop the statements of tests that give the flag the state that stays.

    Of functions that give it the other one, a whole test goes; anything else is left.
    """

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._losing = [False]
        self._mocks: list[frozenset[str]] = [frozenset()]
        self._code = ""

    def visit_Module(self, node: cst.Module) -> None:
        self._code = node.code

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._losing.append(False)
        self._mocks.append(mocks_in(self._question, node.body))

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        self._mocks.pop()
        losing = self._losing.pop()
        if not losing:
            return (
                gone(updated_node) if _only_passes_on(original_node, updated_node) else updated_node
            )
        story = Story(self._question)
        original_node.body.visit(story)
        if original_node.name.value.startswith("test") and story.is_of_the_other_answer:
            return gone(updated_node)
        return original_node

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        del original_node
        match updated_node.value:
            case cst.Call() as call if forgets(self._question, call):
                return Gone()
            case cst.Call() as call:
                return self._after(set_up(self._question, call), updated_node)
        return updated_node

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        del original_node
        mock = mock_made(self._question, updated_node) or mock_told(updated_node)
        if mock in self._mocks[-1]:
            return Gone()
        match updated_node:
            case cst.Assign(targets=[cst.AssignTarget(target=target)], value=cst.Call() as call):
                state = set_up(self._question, call)
                # What was made may be looked at later on.
                idle = state is None or self._is_idle(target)
                return self._after(state, updated_node) if idle else updated_node
        return self._after(pinned_by(self._question, updated_node), updated_node)

    def _is_idle(self, target: cst.BaseExpression) -> bool:
        """Tell whether nothing reads what a statement of a test keeps as `x` or `self.x`."""
        match target:
            case cst.Name(value=name) | cst.Attribute(value=cst.Name(), attr=cst.Name(value=name)):
                return len(word(name).findall(self._code)) == 1
        return False

    def _after(self, state: bool | None, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:  # noqa: FBT001
        if state is self._question.keep:
            return Gone()
        self._losing[-1] = self._losing[-1] or state is not None
        return node


def _only_passes_on(before: cst.FunctionDef, after: cst.FunctionDef) -> bool:
    """Tell whether only `super().setUp()` is left of a function that did more before."""
    left = [statement for statement in after.body.body if not is_gone(statement)]
    if after.decorators or len(left) == len(before.body.body):
        return False
    match left:
        case [cst.SimpleStatementLine(body=[cst.Expr(value=cst.Call(func=func, args=[]))])]:
            match func:
                case cst.Attribute(value=cst.Call(func=cst.Name(value="super")), attr=attr):
                    return attr.value == before.name.value
    return False


class _Pinned(cst.CSTVisitor):
    """The values which the `with` statements of a function pin the flag to."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self.values: set[bool] = set()

    def visit_WithItem(self, node: cst.WithItem) -> None:
        pin = pin_of(self._question, node.item)
        if pin is not None:
            self.values.add(pin.state)
