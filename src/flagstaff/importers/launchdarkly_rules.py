"""For whom is a flag of LaunchDarkly on?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flagstaff.importers.attributes import missing
from flagstaff.importers.condition import (
    EVERYBODY,
    NOBODY,
    Condition,
    Fixed,
    Lose,
    Members,
    Share,
    Test,
    all_of,
    any_of,
    first_match,
    negated,
)
from flagstaff.importers.launchdarkly_clauses import clauses_condition
from flagstaff.importers.launchdarkly_flag import (
    WHOLE,
    LdFlag,
    Segment,
    bucketed_by,
    is_user,
)
from flagstaff.importers.reading import At

_KIND = "it is about another kind of context than `user`"


def flag_condition(
    flag: LdFlag,
    names: Mapping[str, str],
    flags: Mapping[str, LdFlag],
    segments: Mapping[str, Segment],
    lose: Lose,
) -> Condition:
    """Return for whom the flag is on.

    Args:
        flag: the flag.
        names: our names of all flags.
        flags: all flags of the environment.
        segments: by key.
        lose: notes what cannot be said.
    """
    off = Fixed(value=flag.serves(flag.at["offVariation"]))
    if not flag.on:
        return off
    rules: list[tuple[Condition, bool]] = []
    for each in flag.at["prerequisites"].each():
        met = _prerequisite(each, names, flags, lose)
        rules.append((negated(met), off.value))
    for ids, opens, at in flag.targets():
        condition = Members(ids) if ids else NOBODY
        rules.append((condition if is_user(at) else lose(at.place, _KIND), opens))
    for each in flag.at["rules"].each():
        matches = clauses_condition(each["clauses"], segments, lose)
        for share, opens in _served(flag, each, lose):
            rules.append((all_of((matches, share)), opens))
    rules += _served(flag, flag.at["fallthrough"], lose)
    return first_match(rules, otherwise=False)


def _prerequisite(
    at: At, names: Mapping[str, str], flags: Mapping[str, LdFlag], lose: Lose
) -> Condition:
    key = at["key"].name()
    needed = flags.get(key)
    if needed is None or not names.get(key):
        return lose(at["key"].place, f"the flag {key!r} is not in the export")
    values = [each.value for each in needed.values]
    if sorted(values, key=bool) != [False, True]:
        return lose(at["key"].place, f"{key!r} serves more than true and false")
    if not needed.on:
        return NOBODY
    asked: Condition = Test({"FeatureEnabled": [names[key]]})
    return asked if needed.serves(at["variation"]) else negated(asked)


def _served(flag: LdFlag, at: At, lose: Lose) -> list[tuple[Condition, bool]]:
    """Return what is served, as rules of which the last fits everybody."""
    if at.has("variation"):
        return [(EVERYBODY, flag.serves(at["variation"]))]
    rollout = at["rollout"]
    listed = [
        (each["weight"].whole(), flag.serves(each["variation"]))
        for each in rollout["variations"].each()
    ]
    if not listed:
        raise at.wrong("a variation or a rollout")
    first, last = listed[0][1], listed[-1][1]
    opened = min(sum(weight for weight, opens in listed if opens), WHOLE)
    if last:
        # Whoever is left over by the weights gets the last variation.
        opened = WHOLE - min(sum(weight for weight, opens in listed if not opens), WHOLE)
    if not is_user(rollout):
        return [(lose(rollout.place, _KIND), first), (EVERYBODY, False)]
    way = bucketed_by(rollout)
    if len(way) > 1:
        unknown = lose(rollout["bucketBy"].place, "it lies inside another attribute")
        return [(unknown, True), (EVERYBODY, False)]
    if opened in {0, WHOLE}:
        return [(EVERYBODY, bool(opened))]
    share = Decimal(opened * 100) / WHOLE
    if way == ("key",):
        return [(Share(percentage=share), True), (EVERYBODY, False)]
    found: Condition = Share(percentage=share, by=way[0])
    # Without the attribute, everybody gets the first variation.
    return [(any_of((found, missing(way[0]))) if first else found, True), (EVERYBODY, False)]
