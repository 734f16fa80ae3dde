"""Which parameters of a test does a decorator that goes hand something to?

`@patch("app.views.is_new", return_value=True)` hands the test its double, the lowest one first.
"""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst
from libcst import matchers

from flagstaff.cleanup.answers import last_name
from flagstaff.cleanup.owners import chain_of

_OWN = frozenset({"self", "cls"})


def without_handed(node: cst.FunctionDef, going: Collection[int]) -> cst.FunctionDef | None:
    """Return a test without the parameters that the decorators at some places give.

    `None` if the test uses one of them, or if it is not certain which ones they are.
    """
    handing = [i for i, each in enumerate(node.decorators) if hands(each.decorator)]
    doomed = set(going) & set(handing)
    if not doomed:
        return node
    params = list(node.params.params)
    first = 1 if params and params[0].name.value in _OWN else 0
    places = {first + at for at, i in enumerate(reversed(handing)) if i in doomed}
    if max(places) >= len(params):
        return None if node.params.star_arg is not cst.MaybeSentinel.DEFAULT else node
    names = {params[place].name.value for place in places}
    if any(matchers.findall(node.body, matchers.Name(name)) for name in names):
        return None
    kept = [param for place, param in enumerate(params) if place not in places]
    if kept and len(params) - 1 in places:
        space = params[-1].whitespace_after_param
        kept[-1] = kept[-1].with_changes(comma=params[-1].comma, whitespace_after_param=space)
    return node.with_changes(params=node.params.with_changes(params=kept))


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
