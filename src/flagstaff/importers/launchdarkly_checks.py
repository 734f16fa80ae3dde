"""Do the clauses of LaunchDarkly hold for an actor?"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flagstaff.flags.actor import Actor
from flagstaff.importers.hashing import launchdarkly
from flagstaff.importers.launchdarkly_flag import WHOLE, Segment, is_user, reference
from flagstaff.importers.reading import At

Check = Callable[[Actor], bool]
_Compare = Callable[[Any, Any], bool]

_TEXTS: Mapping[str, _Compare] = {
    "contains": operator.contains,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}
_NUMBERS: Mapping[str, _Compare] = {
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
}
_TIMES: Mapping[str, _Compare] = {"before": operator.lt, "after": operator.gt}


class Unforeseeable(Exception):
    """The answer depends on something that is not known."""


def value_at(way: tuple[str, ...], actor: Actor) -> Any:
    """Return an attribute, None if there is none."""
    if way[0] == "key":
        return actor.flag_id if len(way) == 1 else None
    if way == ("kind",):
        return "user"
    if way == ("anonymous",):
        return bool(actor.flag_attributes.get("anonymous"))
    value: Any = actor.flag_attributes
    for each in way:
        value = value.get(each) if isinstance(value, Mapping) else None
    return value


def clauses_check(
    clauses: At, segments: Mapping[str, Segment], inside: frozenset[str] = frozenset()
) -> Check:
    """Return what says whether all clauses hold."""
    checks = [_clause(each, segments, inside) for each in clauses.each()]
    return lambda actor: all(each(actor) for each in checks)


def _clause(clause: At, segments: Mapping[str, Segment], inside: frozenset[str]) -> Check:
    negate = clause["negate"].truth(default=False)
    if clause["op"].text() == "segmentMatch":
        known = [each.text() for each in clause["values"].each() if each.text() in segments]
        asked = [segment_check(segments[key], segments, inside) for key in known]
        return lambda actor: any(each(actor) for each in asked) is not negate
    way = reference(clause["attribute"])
    if way is None or not is_user(clause):
        return lambda _actor: False
    compare = _comparison(clause)

    def holds(actor: Actor) -> bool:
        value = value_at(way, actor)
        if value is None:
            return False
        listed = value if isinstance(value, list | tuple) else [value]
        return any(compare(each) for each in listed) is not negate

    return holds


def _comparison(clause: At) -> Callable[[Any], bool]:
    name, values = clause["op"].text(), [each.value for each in clause["values"].each()]
    if name == "in":
        return lambda value: any(_same(value, each) for each in values)
    if name in _TEXTS:
        compare, wanted = _TEXTS[name], [each for each in values if isinstance(each, str)]
        return lambda value: isinstance(value, str) and any(compare(value, each) for each in wanted)
    if name == "matches":
        return _matching(values)
    if name in _NUMBERS:
        return _comparing(_NUMBERS[name], [each for each in values if _is_number(each)])
    if name in _TIMES:
        compare, times = _TIMES[name], [_moment(each) for each in values]
        return _comparing_times(compare, [each for each in times if each is not None])
    if name.startswith("semVer"):
        return _unforeseeable
    return lambda _value: False


def _matching(values: list[Any]) -> Callable[[Any], bool]:
    try:
        patterns = [re.compile(each) for each in values if isinstance(each, str)]
    except re.error:
        return _unforeseeable
    return lambda value: (
        isinstance(value, str) and any(each.search(value) is not None for each in patterns)
    )


def _comparing(compare: _Compare, wanted: list[Any]) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and any(compare(value, each) for each in wanted)


def _comparing_times(compare: _Compare, wanted: list[float]) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        moment = _moment(value)
        return moment is not None and any(compare(moment, each) for each in wanted)

    return holds


def segment_check(
    segment: Segment, segments: Mapping[str, Segment], inside: frozenset[str]
) -> Check:
    """Return what says whether an actor is in a segment."""
    at = segment.at
    if segment.key in inside or at["unbounded"].truth(default=False):
        return _unforeseeable
    included = _listed(at["included"], at["includedContexts"])
    excluded = _listed(at["excluded"], at["excludedContexts"])
    rules = [
        _segment_rule(segment, each, segments, inside | {segment.key})
        for each in at["rules"].each()
    ]

    def holds(actor: Actor) -> bool:
        if actor.flag_id in included:
            return True
        return actor.flag_id not in excluded and any(each(actor) for each in rules)

    return holds


def _listed(plain: At, by_context: At) -> frozenset[str]:
    found = set(plain.texts())
    for each in by_context.each():
        if is_user(each):
            found.update(each["values"].texts())
    return frozenset(found)


def _segment_rule(
    segment: Segment, rule: At, segments: Mapping[str, Segment], inside: frozenset[str]
) -> Check:
    matches = clauses_check(rule["clauses"], segments, inside)
    if not rule.has("weight"):
        return matches
    share = rule["weight"].whole() / WHOLE
    way = reference(rule["bucketBy"]) or ("key",)
    prefix = f"{segment.key}.{segment.at['salt'].text('')}"

    def holds(actor: Actor) -> bool:
        if not matches(actor):
            return False
        value = value_at(way, actor)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return share > 0
        return launchdarkly(prefix, str(value)) < share

    return holds


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: Any) -> float | None:
    """Return milliseconds since 1970."""
    if _is_number(value):
        return float(value)
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000


def _unforeseeable(_value: Any) -> bool:
    raise Unforeseeable
