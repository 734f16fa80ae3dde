"""Which parameters of a test does a decorator that goes hand something to?

`@patch("app.views.is_new", return_value=True)` hands the test its double, the lowest one first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import libcst as cst
from libcst import matchers

from flagstaff.cleanup.answers import last_name
from flagstaff.cleanup.markers import Gone
from flagstaff.cleanup.owners import chain_of

_OWN = frozenset({"self", "cls"})
_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def told_at_once(
    node: cst.FunctionDef, is_pin: Callable[[cst.BaseExpression], bool]
) -> cst.FunctionDef:
    """Return a test whose pins say themselves what they answer.

    `@patch("app.views.is_new")` with `double.return_value = True` in the test, and no more of
    `double`, becomes `@patch("app.views.is_new", return_value=True)`.
    """
    for place, decorator in enumerate(node.decorators):
        param = _handed(node).get(place)
        told = None if param is None else _told(node.body, param.name.value)
        if told is None or not isinstance(decorator.decorator, cst.Call):
            continue
        call = decorator.decorator
        value = cst.Arg(told.value, keyword=cst.Name("return_value"), equal=_EQUAL)
        pin = call.with_changes(args=[call.args[0], value])
        if len(call.args) == 1 and is_pin(pin):
            decorators = list(node.decorators)
            decorators[place] = decorator.with_changes(decorator=pin)
            body = node.body.deep_replace(told, Gone())
            node = node.with_changes(decorators=decorators, body=body)
    return node


def _told(body: cst.BaseSuite, name: str) -> cst.Assign | None:
    """Return the only statement of a test that speaks of a double, if it says what that answers."""
    found = [
        small
        for line in body.body
        if isinstance(line, cst.SimpleStatementLine)
        for small in line.body
        if isinstance(small, cst.Assign) and len(small.targets) == 1
        if matchers.matches(small.targets[0].target, _answer_of(name))
    ]
    mentioned = len(matchers.findall(body, matchers.Name(name)))
    return found[0] if len(found) == mentioned == 1 else None


def _answer_of(name: str) -> matchers.Attribute:
    return matchers.Attribute(matchers.Name(name), matchers.Name("return_value"))


def without_handed(node: cst.FunctionDef, going: Collection[int]) -> cst.FunctionDef | None:
    """Return a test without the parameters that the decorators at some places give.

    `None` if the test uses one of them, or if it is not certain which ones they are.
    """
    handed = _handed(node)
    doomed = {place for place in going if hands(node.decorators[place].decorator)}
    if not doomed:
        return node
    params = list(node.params.params)
    if not doomed <= handed.keys():
        return None if node.params.star_arg is not cst.MaybeSentinel.DEFAULT else node
    places = {params.index(handed[place]) for place in doomed}
    names = {params[place].name.value for place in places}
    if any(matchers.findall(node.body, matchers.Name(name)) for name in names):
        return None
    kept = [param for place, param in enumerate(params) if place not in places]
    if kept and len(params) - 1 in places:
        space = params[-1].whitespace_after_param
        kept[-1] = kept[-1].with_changes(comma=params[-1].comma, whitespace_after_param=space)
    return node.with_changes(params=node.params.with_changes(params=kept))


def _handed(node: cst.FunctionDef) -> dict[int, cst.Param]:
    """Return the parameters that get doubles, by the place of the decorator that gives them."""
    handing = [i for i, each in enumerate(node.decorators) if hands(each.decorator)]
    params = node.params.params
    first = 1 if params and params[0].name.value in _OWN else 0
    return dict(zip(reversed(handing), params[first:], strict=False))


def hands(decorator: cst.BaseExpression) -> bool:
    """Tell whether a decorator, such as `patch("a.b")`, hands the function a double."""
    if not isinstance(decorator, cst.Call):
        return False
    names = chain_of(decorator.func)
    target = {"patch": 1, "object": 2}.get(last_name(decorator.func))
    if target is None or "patch" not in names:
        return False
    given = [arg for arg in decorator.args if arg.keyword is None and not arg.star]
    named = {arg.keyword.value for arg in decorator.args if arg.keyword is not None}
    return len(given) == target and "new" not in named
