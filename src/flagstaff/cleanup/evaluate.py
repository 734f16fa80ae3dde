"""What does a file say once the flag's answer is put in for the question?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import libcst as cst

from flagstaff.cleanup.answers import Question, last_name
from flagstaff.cleanup.blocks import fold_block, fold_module, fold_suite
from flagstaff.cleanup.comments import without_speaking
from flagstaff.cleanup.conditions import is_bool, simplify, simplify_value
from flagstaff.cleanup.literals import without
from flagstaff.cleanup.markers import Gone, Known, known, parenthesised, unwrapped
from flagstaff.cleanup.positions import Positions
from flagstaff.cleanup.scopes import same_kind
from flagstaff.cleanup.spoken import compared, converted, is_truth


class Sweeper(cst.CSTTransformer):
    """Close up the blocks around what is gone or decided."""

    def __init__(self, flag: str = "") -> None:
        super().__init__()
        self._flag = flag

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        del original_node
        return fold_suite(updated_node)

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return fold_block(original_node, updated_node, self._flag)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        return fold_module(original_node, updated_node, self._flag)


class Evaluator(Sweeper):
    """One pass of partial evaluation; run again until nothing changes."""

    def __init__(self, question: Question, *, tidy: bool) -> None:
        super().__init__(question.flag)
        self._question = question
        self._tidy = tidy
        self._positions = Positions()
        self._awaited: set[int] = set()
        self._functions = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        self._positions.see(node)
        return super().on_visit(node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        answer = self._question.answer(updated_node)
        certain = answer is not None and self._question.is_certain(updated_node)
        if answer is None:
            answer, certain = converted(self._question, updated_node), is_truth(updated_node)
        # What is not awaited at once is handed to somebody who will.
        awaits = last_name(updated_node.func).endswith("_async")
        if awaits and id(original_node) not in self._awaited:
            return updated_node
        if answer is not None and self._positions.allows(original_node, certain=certain):
            return unwrapped(updated_node, known(truth=answer), tidy=self._tidy)
        chosen = self._question.chosen(updated_node)
        if chosen is not None:
            return unwrapped(updated_node, parenthesised(chosen), tidy=self._tidy)
        match updated_node:
            case cst.Call(func=cst.Name(value="bool"), args=[cst.Arg(value=value, keyword=None)]):
                inner = simplify(value, tidy=self._tidy)
                if isinstance(inner, Known):
                    return unwrapped(updated_node, inner, tidy=self._tidy)
            case cst.Call(
                func=cst.Name(value="all" | "any" as name),
                args=[cst.Arg(value=cst.List() as items, keyword=None, star="") as arg],
            ):
                # What changes nothing goes; all else in the list is worked out as before.
                idle = [
                    isinstance(e.value, Known) and e.value.truth is (name == "all")
                    for e in items.elements
                ]
                if any(idle) and not all(idle):
                    thinned = arg.with_changes(value=without(items, idle))
                    return updated_node.with_changes(args=[thinned])
        return updated_node

    def visit_Await(self, node: cst.Await) -> None:
        self._awaited.add(id(node.expression))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        del node
        self._functions += 1

    def visit_Assign(self, node: cst.Assign) -> bool:
        # Within a function it is a variable that only bears the flag's name.
        return bool(self._functions) or not self._question.defines(node)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> bool:
        # Nothing is read where something is written.
        return not isinstance(node.target, cst.Attribute | cst.Subscript)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> bool:
        return bool(self._functions) or not self._question.defines(node)

    def visit_Del(self, node: cst.Del) -> bool:
        del node
        return False

    def visit_AugAssign(self, node: cst.AugAssign) -> bool:
        return not isinstance(node.target, cst.Attribute | cst.Subscript)

    def leave_Decorator(
        self, original_node: cst.Decorator, updated_node: cst.Decorator
    ) -> cst.Decorator:
        return original_node if isinstance(updated_node.decorator, Known) else updated_node

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        if self._question.details(original_node):
            return unwrapped(updated_node, known(truth=self._question.keep), tidy=self._tidy)
        answer = self._question.property_answer(updated_node)
        if answer is not None and self._positions.allows(original_node, certain=True):
            return unwrapped(updated_node, known(truth=answer), tidy=self._tidy)
        return self._setting(original_node, updated_node)

    def leave_Subscript(
        self, original_node: cst.Subscript, updated_node: cst.Subscript
    ) -> cst.BaseExpression:
        return self._setting(original_node, updated_node)

    def _setting(
        self, original: cst.Attribute | cst.Subscript, node: cst.Attribute | cst.Subscript
    ) -> cst.BaseExpression:
        if self._question.setting(node) and self._positions.allows(original, certain=False):
            return unwrapped(node, known(truth=self._question.keep), tidy=self._tidy)
        return node

    def leave_Await(self, original_node: cst.Await, updated_node: cst.Await) -> cst.BaseExpression:
        del original_node
        if isinstance(updated_node.expression, Known):
            return unwrapped(updated_node, updated_node.expression, tidy=self._tidy)
        return updated_node

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        del original_node
        return simplify(updated_node, tidy=self._tidy)

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        del original_node
        return simplify_value(updated_node, tidy=self._tidy)

    def leave_Comparison(
        self, original_node: cst.Comparison, updated_node: cst.Comparison
    ) -> cst.BaseExpression:
        answer = compared(self._question, updated_node)
        if answer is not None and self._positions.allows(original_node, certain=True):
            return unwrapped(updated_node, known(truth=answer), tidy=self._tidy)
        match updated_node:
            case cst.Comparison(
                left=Known() as left,
                comparisons=[
                    cst.ComparisonTarget(
                        operator=cst.Is() | cst.Equal() | cst.IsNot() | cst.NotEqual() as operator,
                        comparator=cst.Name(value="True" | "False" as value),
                    )
                ],
            ):
                same = left.truth is (value == "True")
                truth = same is isinstance(operator, cst.Is | cst.Equal)
                return unwrapped(updated_node, known(truth=truth), tidy=self._tidy)
        return updated_node

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        del original_node
        test = simplify(updated_node.test, tidy=self._tidy)
        if isinstance(test, Known):
            kept = updated_node.body if test.truth else updated_node.orelse
            return unwrapped(updated_node, kept, tidy=self._tidy)
        match updated_node.body, updated_node.orelse:
            case Known() as yes, Known() as no if yes.truth and not no.truth and is_bool(test):
                return unwrapped(updated_node, test, tidy=self._tidy)
        return updated_node.with_changes(test=test)

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        del original_node
        tests = [part.with_changes(test=self._condition(part.test)) for part in updated_node.ifs]
        kept = [p for p in tests if not (isinstance(p.test, Known) and p.test.truth)]
        return updated_node.with_changes(ifs=kept)

    def leave_MatchCase(
        self, original_node: cst.MatchCase, updated_node: cst.MatchCase
    ) -> cst.MatchCase:
        del original_node
        if updated_node.guard is None:
            return updated_node
        guard = self._condition(updated_node.guard)
        if isinstance(guard, Known) and guard.truth:
            return updated_node.with_changes(
                guard=None,
                whitespace_after_if=cst.SimpleWhitespace(""),
                whitespace_before_if=cst.SimpleWhitespace(""),
            )
        return updated_node.with_changes(guard=guard)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        test = self._condition(updated_node.test)
        lines = without_speaking(updated_node.leading_lines, self._question.flag)
        if isinstance(test, Known) or len(lines) == len(updated_node.leading_lines):
            return updated_node.with_changes(test=test)
        if test.deep_equals(original_node.test):
            return updated_node
        return updated_node.with_changes(test=test, leading_lines=lines)

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        del original_node
        return updated_node.with_changes(test=self._condition(updated_node.test))

    def leave_Assert(
        self, original_node: cst.Assert, updated_node: cst.Assert
    ) -> cst.BaseSmallStatement:
        del original_node
        test = self._condition(updated_node.test)
        if isinstance(test, Known) and test.truth:
            return Gone()
        return updated_node.with_changes(test=test)

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        del original_node
        value = self._condition(updated_node.value)
        return Gone() if isinstance(value, Known) else updated_node.with_changes(value=value)

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._functions -= 1
        # Without its last `yield`, or a `global` still needed, it would be another function.
        return updated_node if same_kind(original_node, updated_node) else original_node

    def _condition(self, test: cst.BaseExpression) -> cst.BaseExpression:
        return simplify(test, tidy=self._tidy)
