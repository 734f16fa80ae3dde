"""Why did a flag answer as it did, and what would change the answer?"""

from __future__ import annotations

from decimal import Decimal

from flagstaff.flags.actor import actor_ids
from flagstaff.flags.bucketing import Bucketing, bucket, combined
from flagstaff.flags.compile import CompiledFlag
from flagstaff.flags.describe import describe, joined, listed, percent
from flagstaff.flags.evaluation import REASONS, ErrorCode, Evaluation, Gate, Reason
from flagstaff.flags.flag import Flag
from flagstaff.flags.fractional import flagd_bucket
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.murmur import normalized


def evaluate(found: CompiledFlag, actors: tuple[object, ...], version: int) -> Evaluation:
    """Return the answer of one flag with the gate and the reason behind it; counts nothing.

    Raises:
        UsageError: an actor is none.
    """
    gate = found.decide(actors)
    value = found.value(gate)
    chosen = found.choose(actor_ids(actors)) if value and found.choose is not None else None
    return Evaluation(
        flag=found.flag.name,
        value=value,
        reason=REASONS[gate],
        gate=gate,
        variant=chosen.name if chosen else _plain(value),
        payload=chosen.payload if chosen else value,
        version=version,
    )


def failure(name: str, error: ErrorCode, *, value: bool, version: int, words: str) -> Evaluation:
    """Return the answer of a flag that could not be evaluated."""
    return Evaluation(
        flag=name,
        value=value,
        reason=Reason.ERROR,
        gate=Gate.NONE,
        variant=_plain(value),
        payload=value,
        version=version,
        error=error,
        words=words,
    )


def in_words(flag: Flag, actors: tuple[object, ...], gate: Gate) -> str:
    """Return why `gate` decided for these actors, and what would change the answer.

    Raises:
        UsageError: an actor is none.
    """
    ids = actor_ids(actors)
    gates, who = flag.gates, listed(ids) if ids else "nobody in particular"
    if gate is Gate.PREREQUISITE:
        wanted = [f"{name} to be {_plain(on)}" for name, on in flag.prerequisites]
        return f"{flag.name} is off for {who}: it needs {joined(wanted)}"
    if gates is None or gate is Gate.DEFAULT:
        return f"{flag.name} is not set here, so its default answers: {_plain(flag.default)}"
    match gate:
        case Gate.BOOLEAN:
            why = "it is on for everyone"
        case Gate.EXPRESSION:
            why = f"the expression holds for {who}"
        case Gate.ACTORS:
            why = f"{listed(gates.members & set(ids))} is in the list of actors"
        case Gate.PERCENTAGE_OF_ACTORS:
            open_to = percent(gates.percentage_of_actors)
            why = f"{who} falls at {_place(flag, ids)}, and {open_to} of actors are open"
        case Gate.PERCENTAGE_OF_TIME:
            share = percent(gates.percentage_of_time)
            why = f"this check was one of the {share} that are open; the next one draws again"
        case Gate.GROUPS:
            why = f"{who} belongs to one of the groups {listed(gates.groups)}"
        case Gate.OPT_OUT:
            why = f"{listed(gates.opted_out & set(ids))} is opted out"
        case _:
            return f"{flag.name} is off for {who}: {_why_not(flag, gates, ids)}"
    on = "off" if gate is Gate.OPT_OUT else "on"
    return f"{flag.name} is {on} for {who}: {why}"


def _why_not(flag: Flag, gates: Gates, ids: tuple[str, ...]) -> str:
    state = describe(gates, default=flag.default)
    if gates.state is State.OFF:
        return f"it is {state}"
    if not ids:
        return f"it is {state}, and the code asks without an actor"
    if not gates.percentage_of_actors:
        return f"it is {state}"
    return f"it is {state}; {combined(ids)} gets it from {_needed(flag, ids)} of actors on"


def _place(flag: Flag, ids: tuple[str, ...]) -> str:
    if flag.bucketing is Bucketing.MURMUR3:
        return f"{normalized(flag.name, combined(ids))} %"
    return percent(Decimal(_bucket(flag, ids)) / 1000)


def _needed(flag: Flag, ids: tuple[str, ...]) -> str:
    if flag.bucketing is Bucketing.MURMUR3:
        return _place(flag, ids)
    return percent(Decimal(_bucket(flag, ids) + 1) / 1000)


def _bucket(flag: Flag, ids: tuple[str, ...]) -> int:
    fallen = flagd_bucket if flag.bucketing is Bucketing.FLAGD else bucket
    return fallen(flag.name, combined(ids))


def _plain(value: bool) -> str:  # noqa: FBT001 - it is the answer
    return "on" if value else "off"
