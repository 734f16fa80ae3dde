"""For whom is a feature of GrowthBook on?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flagstaff.importers.attributes import missing
from flagstaff.importers.condition import (
    EVERYBODY,
    NOBODY,
    Condition,
    Lose,
    Share,
    Test,
    all_of,
    first_match,
    negated,
)
from flagstaff.importers.growthbook_conditions import conditions_of
from flagstaff.importers.growthbook_ranges import hashed_by, is_experiment, ranges_of
from flagstaff.importers.reading import At

_LEFT_OUT = {
    "filters": "actors are kept apart by a hash of their own, which nothing here has",
    "namespace": "actors are kept apart by a hash of their own, which nothing here has",
    "fallbackAttribute": "the hash goes by another attribute for some",
}


def feature_condition(
    key: str,
    features: Mapping[str, At],
    names: Mapping[str, str],
    groups: Mapping[str, At],
    lose: Lose,
) -> Condition:
    """Return for whom the feature is on.

    Args:
        key: its name.
        features: all features.
        names: our names of them.
        groups: the lists of saved groups.
        lose: notes what cannot be said.
    """
    at = features[key]
    default = _truth(at["defaultValue"])
    if default is None:
        return lose(at["defaultValue"].place, "it serves more than true and false")
    rules: list[tuple[Condition, bool]] = []
    for each in at["rules"].each():
        parents, gate = _parents(each, features, names, lose)
        if gate:
            rules.append((negated(parents), False))
        matches = [parents, *conditions_of(each["condition"], groups, lose)]
        matches += [
            lose(each[name].place, why) for name, why in _LEFT_OUT.items() if each.has(name)
        ]
        for share, opens in _served(each, lose):
            rules.append((all_of((*matches, share)), opens))
    return first_match(rules, otherwise=default)


def _parents(
    rule: At, features: Mapping[str, At], names: Mapping[str, str], lose: Lose
) -> tuple[Condition, bool]:
    """Return whether the parents answer as wanted, and whether the feature is off if not."""
    listed = list(rule["parentConditions"].each())
    found = [_parent(each, features, names, lose) for each in listed]
    gates = {each["gate"].truth(default=False) for each in listed}
    if len(gates) > 1:
        found.append(lose(rule["parentConditions"].place, "some of them are gates and some not"))
    return all_of(found), True in gates


def _parent(at: At, features: Mapping[str, At], names: Mapping[str, str], lose: Lose) -> Condition:
    key = at["id"].text()
    if key not in features or not names.get(key):
        return lose(at["id"].place, f"the feature {key!r} is not in the export")
    if not isinstance(features[key]["defaultValue"].value, bool):
        return lose(at["id"].place, f"{key!r} serves more than true and false")
    asked: Condition = Test({"FeatureEnabled": [names[key]]})
    match at["condition"].value:
        case {"value": bool(wanted), **rest} if not rest:
            return asked if wanted else negated(asked)
        case {"value": {"$eq": bool(wanted), **more}, **rest} if not rest and not more:
            return asked if wanted else negated(asked)
        case {"value": {"$exists": True, **more}, **rest} if not rest and not more:
            return EVERYBODY
    return lose(at["condition"].place, "only true and false of a parent can be asked for")


def _served(rule: At, lose: Lose) -> list[tuple[Condition, bool]]:
    """Return what a rule serves; whoever is in none of these goes on to the next rule."""
    if rule.has("force"):
        values = [rule["force"]]
    elif is_experiment(rule):
        values = list(rule["variations"].each())
    else:
        return []
    opens = [_truth(each) for each in values]
    if None in opens:
        return [(lose(rule.place, "it serves more than true and false"), False)]
    if is_experiment(rule) and len(values) < 2:  # noqa: PLR2004 - nothing to try
        return []
    if any(each["passthrough"].truth(default=False) for each in rule["meta"].each()):
        return [(lose(rule["meta"].place, "some of its actors go on to the next rule"), False)]
    ranges = ranges_of(rule)
    if ranges is None:
        return [(EVERYBODY, bool(opens[0]))]
    widths = [max(0.0, min(end, 1) - max(start, 0)) for start, end in ranges]
    opened = sum(width for width, on in zip(widths, opens, strict=False) if on)
    return [
        (_share(rule, opened), True),
        (_share(rule, min(1.0, sum(widths))), False),
    ]


def _share(rule: At, width: float) -> Condition:
    share = Decimal(repr(round(width * 100, 6)))
    by = hashed_by(rule)
    if not share:
        return NOBODY
    if by != "id":
        return negated(missing(by)) if share >= 100 else Share(percentage=share, by=by)  # noqa: PLR2004
    return EVERYBODY if share >= 100 else Share(percentage=share)  # noqa: PLR2004 - everybody


def _truth(at: At) -> bool | None:
    if at.value is None:
        return False
    return at.value if isinstance(at.value, bool) else None
