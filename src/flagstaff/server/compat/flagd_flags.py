"""How does a flag look to a client of flagd, which evaluates it by itself?

What flagd cannot answer as we do stays closed there, and the flag's metadata says so;
`docs/decisions/0017-flagd-bucketing.md` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flagstaff.flags.bucketing import BUCKETS, Bucketing, threshold
from flagstaff.flags.flag import Flag
from flagstaff.flags.fractional import HASHES, text_hash
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.percentage import HUNDRED
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.variant import variant_prefix
from flagstaff.server.compat.flagd_expressions import (
    TARGETING_KEY,
    Logic,
    all_of,
    any_of,
    logic_of,
    opposite,
)

MOST_WEIGHT = 2**31 - 1
DEEPEST = 3
"""Levels of prerequisites, each of which is written out in full."""

SOMEBODY: Logic = {"!!": [TARGETING_KEY]}

_KNOWN = "flagstaff"
_AT = text_hash(_KNOWN) * BUCKETS // HASHES
HASHES_AS_WE_DO: Logic = {
    "===": [
        {"fractional": [_KNOWN, ["before", _AT], ["here", 1], ["after", BUCKETS - _AT - 1]]},
        "here",
    ]
}
"""True only in clients whose `fractional` puts a known text into the one bucket where it belongs:
older ones hash in another way, and would give the flag to other people."""

_SHARE = "its share of actors is picked by {}, which flagd cannot compute: `bucketing: flagd` can"
_VARIANTS = "its variants are shared out by crc32, which flagd cannot compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When a flag is on, as far as flagd can say; never for anybody who has it not.

    Attributes:
        logic: the rule.
        notes: what stays closed; without any it is on for all who have it.
    """

    logic: Logic
    notes: tuple[str, ...] = ()


def configuration(snapshot: Snapshot) -> dict[str, object]:
    """Return all flags of an environment, as flagd wants them."""
    flags = snapshot.flags
    return {
        "flags": {name: flag_json(flags[name], flags) for name in sorted(flags)},
        "metadata": {
            "flagSetId": snapshot.environment,
            "environment": snapshot.environment,
            "version": snapshot.version,
        },
    }


def flag_json(flag: Flag, flags: Mapping[str, Flag]) -> dict[str, object]:
    """Return the flag for a client; `flags` are all of its environment."""
    opening = opening_of(flag, flags)
    notes = opening.notes
    if flag.variants:
        answer, more = _with_variants(flag, opening.logic)
        notes += more
    else:
        answer = _plain(opening.logic)
    if notes:
        answer["metadata"] = {"closed": "; ".join(dict.fromkeys(notes))}
    return answer


def opening_of(flag: Flag, flags: Mapping[str, Flag], depth: int = 0) -> Opening:
    """Return when the flag is on."""
    if depth > DEEPEST:
        return Opening(logic=False, notes=("its prerequisites are nested too deeply",))
    own = _by_gates(flag, depth)
    rules, notes = [own.logic], own.notes
    for name, wanted in flag.prerequisites:
        asked = flags.get(name)
        found = Opening(logic=False) if asked is None else opening_of(asked, flags, depth + 1)
        if not wanted and found.notes:
            rules.append(False)
            notes += (f"its prerequisite {name} must be off, which flagd cannot tell",)
            continue
        rules.append(found.logic if wanted else opposite(found.logic))
        notes += tuple(f"of its prerequisite {name}: {note}" for note in found.notes)
    return Opening(logic=all_of(rules), notes=notes)


def _by_gates(flag: Flag, depth: int) -> Opening:
    gates = flag.gates
    if gates is None:
        return Opening(logic=flag.default)
    if gates.state is State.OFF:
        return Opening(logic=False)
    rules, notes = _rules(flag, gates, depth)
    logic = any_of(rules)
    if opted_out := gates.opted_out:
        logic = all_of([logic, opposite(_one_of(opted_out))])
    if logic is True:
        return Opening(logic=True)
    return Opening(logic=logic, notes=tuple(notes))


def _rules(flag: Flag, gates: Gates, depth: int) -> tuple[list[Logic], list[str]]:
    rules: list[Logic] = []
    notes: list[str] = []
    if gates.boolean or gates.percentage_of_time == HUNDRED:
        return [True], []
    if gates.expression:
        rule = logic_of(gates.expression)
        rules.append(rule or False)
        if rule is None:
            notes.append("its expression is beyond what JsonLogic answers the same way")
    if gates.members:
        rules.append(_one_of(gates.members))
    if gates.percentage_of_actors == HUNDRED:
        rules.append(SOMEBODY)
    elif gates.percentage_of_actors:
        if flag.bucketing is not Bucketing.FLAGD:
            notes.append(_SHARE.format(flag.bucketing.value))
        elif depth:
            notes.append("flagd counts a share of actors by the flag that is asked about")
        else:
            rules.append(_share(gates))
    if gates.percentage_of_time:
        notes.append("flagd has no chance, so its percentage of time opens nothing")
    if gates.groups:
        notes.append("its groups are known to applications alone")
    return rules, notes


def _one_of(ids: frozenset[str]) -> Logic:
    return {"in": [TARGETING_KEY, sorted(ids)]}


def _share(gates: Gates) -> Logic:
    limit = threshold(gates.percentage_of_actors)
    drawn = {"fractional": [["on", limit], ["off", BUCKETS - limit]]}
    return {"and": [SOMEBODY, HASHES_AS_WE_DO, {"===": [drawn, "on"]}]}


def _plain(logic: Logic) -> dict[str, object]:
    answer: dict[str, object] = {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "on" if logic is True else "off",
    }
    if not isinstance(logic, bool):
        answer["targeting"] = {"if": [logic, "on", "off"]}
    return answer


def _with_variants(flag: Flag, logic: Logic) -> tuple[dict[str, object], tuple[str, ...]]:
    chosen, notes = _chosen(flag)
    # Off is no value of such a flag: the caller's default answers.
    answer: dict[str, object] = {
        "state": "DISABLED" if logic is False else "ENABLED",
        "variants": {
            each.name: each.name if each.payload is None else each.payload for each in flag.variants
        },
    }
    if logic is True and isinstance(chosen, str):
        answer["defaultVariant"] = chosen
    elif logic is not False:
        answer["targeting"] = {"if": [logic, chosen, None]}
    return answer, notes


def _chosen(flag: Flag) -> tuple[object, tuple[str, ...]]:
    """Return what names the variant of an actor; nothing where flagd cannot tell."""
    pinned: list[object] = []
    for each in flag.variants:
        if each.actors:
            pinned += [_one_of(each.actors), each.name]
    shares = [[each.name, each.weight] for each in flag.variants if each.weight]
    notes: tuple[str, ...] = ()
    if len(shares) == 1:
        rest: list[object] = [shares[0][0]]
    elif flag.bucketing is not Bucketing.FLAGD:
        rest, notes = [None], (_VARIANTS,)
    elif sum(each.weight for each in flag.variants) > MOST_WEIGHT:
        rest, notes = [None], (f"the weights of its variants add up to more than {MOST_WEIGHT}",)
    else:
        key = {"cat": [variant_prefix(flag.name), TARGETING_KEY]}
        known = {"and": [SOMEBODY, HASHES_AS_WE_DO]}
        rest = [known, {"fractional": [key, *shares]}, None]
    if not pinned and len(rest) == 1:
        return rest[0], notes
    return {"if": [*pinned, *rest]}, notes
