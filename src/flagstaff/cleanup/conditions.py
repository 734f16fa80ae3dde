"""What is a condition worth once the flag's answer is known?"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from flagstaff.cleanup.markers import Known, known, parenthesised, unwrapped

_PURE_CALLS = {"bool", "isinstance", "issubclass", "callable", "len", "hasattr"}
_FLIPPED: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
    cst.In: cst.NotIn,
    cst.NotIn: cst.In,
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
}


@dataclass(frozen=True, slots=True)
class Decided:
    """A condition whose truth is certain, and what must still be run for its effects."""

    truth: bool
    effect: cst.BaseExpression | None = None


def decide(test: cst.BaseExpression) -> Decided | None:
    """Tell how a condition ends, `None` when that is open."""
    match test:
        case Known():
            return Decided(test.truth)
        case cst.UnaryOperation(operator=cst.Not()):
            inner = decide(test.expression)
            return inner and Decided(not inner.truth, inner.effect)
        case cst.BooleanOperation():
            # `and` ends with a false operand, `or` with a true one.
            end = isinstance(test.operator, cst.Or)
            left, right = decide(test.left), decide(test.right)
            if left is not None and left.truth is end:
                return left
            if right is not None and right.truth is end:
                return Decided(end, _effects(test, right.effect))
    return None


def _effects(test: cst.BooleanOperation, right: cst.BaseExpression | None) -> cst.BaseExpression:
    if right is None:
        return test.left
    return test.with_changes(right=parenthesised(right))


def simplify(test: cst.BaseExpression, *, tidy: bool) -> cst.BaseExpression:
    """Return a condition that is as true as `test`, in the places where only truth counts."""
    match test:
        case cst.UnaryOperation(operator=cst.Not()):
            inner = simplify(test.expression, tidy=tidy)
            if isinstance(inner, Known):
                return unwrapped(test, known(truth=not inner.truth), tidy=tidy)
            if inner is not test.expression:
                changed: cst.BaseExpression = test.with_changes(expression=parenthesised(inner))
                return changed
        case cst.BooleanOperation():
            return _simplify_operation(test, tidy=tidy)
    return test


def _simplify_operation(test: cst.BooleanOperation, *, tidy: bool) -> cst.BaseExpression:
    end = isinstance(test.operator, cst.Or)
    left, right = simplify(test.left, tidy=tidy), simplify(test.right, tidy=tidy)
    folded: cst.BaseExpression | None = None
    if isinstance(left, Known):
        folded = known(truth=end) if left.truth is end else right
    elif isinstance(right, Known):
        if right.truth is not end:
            folded = left
        elif is_pure(left):
            folded = known(truth=end)
    if folded is not None:
        return unwrapped(test, folded, tidy=tidy)
    if left is test.left and right is test.right:
        return test
    return test.with_changes(left=left, right=right)


def simplify_value(test: cst.BooleanOperation, *, tidy: bool) -> cst.BaseExpression:
    """Return an expression of the same value as `test`, where truth alone is not enough."""
    end = isinstance(test.operator, cst.Or)
    left, right = test.left, test.right
    if isinstance(left, Known):
        return unwrapped(test, known(truth=end) if left.truth is end else right, tidy=tidy)
    if isinstance(right, Known) and is_bool(left):
        return unwrapped(test, simplify(test.with_changes(lpar=(), rpar=()), tidy=tidy), tidy=tidy)
    return test


def is_bool(node: cst.BaseExpression) -> bool:
    """Tell whether a value is certainly `True` or `False`."""
    match node:
        case Known() | cst.UnaryOperation(operator=cst.Not()):
            return True
        case cst.Name(value="True" | "False"):
            return True
        case cst.Comparison():
            kinds = (cst.Is, cst.IsNot, cst.In, cst.NotIn)
            return all(isinstance(part.operator, kinds) for part in node.comparisons)
        case cst.Call(func=cst.Name(value=name)):
            return name in _PURE_CALLS - {"len"}
        case cst.BooleanOperation():
            return is_bool(node.left) and is_bool(node.right)
    return False


def is_pure(node: cst.BaseExpression) -> bool:
    """Tell whether an operand can go without being missed: reading is no effect."""
    match node:
        case cst.Name() | cst.BaseNumber() | cst.SimpleString() | cst.Ellipsis():
            return True
        case cst.Attribute():
            return is_pure(node.value)
        case cst.Subscript():
            return is_pure(node.value) and all(
                isinstance(e.slice, cst.Index) and is_pure(e.slice.value) for e in node.slice
            )
        case cst.UnaryOperation():
            return is_pure(node.expression)
        case cst.BooleanOperation() | cst.BinaryOperation():
            return is_pure(node.left) and is_pure(node.right)
        case cst.Comparison():
            return is_pure(node.left) and all(is_pure(c.comparator) for c in node.comparisons)
        case cst.Call(func=cst.Name(value=name)):
            return name in _PURE_CALLS and all(is_pure(arg.value) for arg in node.args)
        case cst.List() | cst.Tuple() | cst.Set():
            return all(is_pure(element.value) for element in node.elements)
        case cst.Dict():
            return all(
                isinstance(e, cst.DictElement) and is_pure(e.key) and is_pure(e.value)
                for e in node.elements
            )
    return False


def negated(test: cst.BaseExpression) -> cst.BaseExpression:
    """Return the opposite of a condition."""
    match test:
        case cst.UnaryOperation(operator=cst.Not()):
            return test.expression
        case cst.Comparison(comparisons=[target]) if type(target.operator) in _FLIPPED:
            flipped = _FLIPPED[type(target.operator)]()
            changed: cst.BaseExpression = test.with_changes(
                comparisons=[target.with_changes(operator=flipped)]
            )
            return changed
    return cst.UnaryOperation(cst.Not(), parenthesised(test))
