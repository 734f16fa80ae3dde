"""What do the clauses of LaunchDarkly say as an expression?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flagstaff.importers.attributes import (
    ID,
    attribute,
    compares,
    equals,
    missing,
    present,
    starts_with,
)
from flagstaff.importers.condition import (
    NOBODY,
    Condition,
    Lose,
    Members,
    Share,
    all_of,
    any_of,
    first_match,
    negated,
)
from flagstaff.importers.launchdarkly_flag import (
    WHOLE,
    Segment,
    is_user,
    reference,
    shown,
)
from flagstaff.importers.reading import At

_NUMBERS = {
    "lessThan": "LessThan",
    "lessThanOrEqual": "LessThanOrEqualTo",
    "greaterThan": "GreaterThan",
    "greaterThanOrEqual": "GreaterThanOrEqualTo",
}
_TELLS = {
    "contains": "an expression cannot look inside a text",
    "endsWith": "an expression cannot look at the end of a text",
    "matches": "an expression knows no patterns",
    "before": "times are milliseconds there and seconds here",
    "after": "times are milliseconds there and seconds here",
    "semVerEqual": "an expression cannot compare versions",
    "semVerLessThan": "an expression cannot compare versions",
    "semVerGreaterThan": "an expression cannot compare versions",
}
_OTHER_KIND = "it is about another kind of context than `user`"


def clauses_condition(
    clauses: At,
    segments: Mapping[str, Segment],
    lose: Lose,
    *,
    inside: frozenset[str] = frozenset(),
) -> Condition:
    """Return for whom all clauses hold; `inside` are the segments that are being read."""
    return all_of([_clause(each, segments, lose, inside) for each in clauses.each()])


def _clause(
    clause: At, segments: Mapping[str, Segment], lose: Lose, inside: frozenset[str]
) -> Condition:
    negate = clause["negate"].truth(default=False)
    operator = clause["op"].text()
    if operator == "segmentMatch":
        found = any_of([_segment(each, segments, lose, inside) for each in clause["values"].each()])
        return negated(found) if negate else found
    way = reference(clause["attribute"])
    if way is None:
        raise clause["attribute"].wrong("the name of an attribute")
    if not is_user(clause):
        return lose(clause["contextKind"].place, _OTHER_KIND)
    if len(way) > 1:
        return lose(clause["attribute"].place, "it lies inside another attribute")
    if way[0] in {"kind", "anonymous"}:
        return lose(clause["attribute"].place, f"actors here have no {way[0]!r}")
    name = ID if way[0] == "key" else way[0]
    if operator not in {"in", "startsWith", *_NUMBERS}:
        why = _TELLS.get(operator, "it is not known here")
        return lose(clause["op"].place, f"{operator}: {why}")
    found = any_of([_value(operator, name, each, lose) for each in clause["values"].each()])
    if not negate:
        return found
    # Without the attribute no clause holds, and none that is negated either.
    return negated(found) if name == ID else all_of((present(name), negated(found)))


def _value(operator: str, name: str, at: At, lose: Lose) -> Condition:
    value = at.value
    if operator == "in":
        if not isinstance(value, str | int | float):
            return lose(at.place, f"{shown(value)} is neither text, number nor truth value")
        return equals(name, value)
    if operator == "startsWith":
        return starts_with(name, value) if isinstance(value, str) else NOBODY
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOBODY
    return compares(_NUMBERS[operator], attribute(name), value)


def _segment(
    at: At, segments: Mapping[str, Segment], lose: Lose, inside: frozenset[str]
) -> Condition:
    key = at.text()
    if key not in segments:
        return lose(at.place, f"the segment {key!r} is not in the export")
    if key in inside:
        return lose(at.place, f"the segment {key!r} asks for itself")
    found = segments[key].at
    if found["unbounded"].truth(default=False):
        return lose(found["unbounded"].place, "the actors of a big segment are not in the export")
    for kind in ("includedContexts", "excludedContexts"):
        for each in found[kind].each():
            if not is_user(each):
                lose(each.place, _OTHER_KIND)
                return lose(at.place, f"the segment {key!r} lists other contexts")
    rules = [
        (_members(found["included"], found["includedContexts"]), True),
        (_members(found["excluded"], found["excludedContexts"]), False),
    ]
    within = inside | {key}
    rules += [(_segment_rule(each, segments, lose, within), True) for each in found["rules"].each()]
    return first_match(rules, otherwise=False)


def _members(plain: At, by_context: At) -> Condition:
    ids = set(plain.texts())
    for each in by_context.each():
        ids.update(each["values"].texts())
    return Members(frozenset(ids)) if ids else NOBODY


def _segment_rule(
    rule: At, segments: Mapping[str, Segment], lose: Lose, inside: frozenset[str]
) -> Condition:
    matches = clauses_condition(rule["clauses"], segments, lose, inside=inside)
    if not rule.has("weight"):
        return matches
    way = reference(rule["bucketBy"]) or ("key",)
    if len(way) > 1 or rule["rolloutContextKind"].text("user") not in {"", "user"}:
        return lose(rule.place, _OTHER_KIND)
    weight = min(max(rule["weight"].whole(), 0), WHOLE)
    if weight == WHOLE:
        return matches
    share: Condition = NOBODY
    if weight:
        percentage = Decimal(weight * 100) / WHOLE
        by = None if way == ("key",) else way[0]
        share = Share(percentage=percentage, by=by)
        if by is not None:
            # Whoever lacks the attribute falls at 0, which is inside every share.
            share = any_of((share, missing(by)))
    return all_of((matches, share))
