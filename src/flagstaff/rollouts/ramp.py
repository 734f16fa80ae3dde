"""Which steps is a ramp: a change of the flag and a bake for each percentage?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from flagstaff.flags.change import GateChange, PercentageOfActors, PercentageOfTime
from flagstaff.flags.percentage import format_percentage
from flagstaff.rollouts.checks import Ramp, ShareOf
from flagstaff.rollouts.evidence.message import spoken
from flagstaff.rollouts.plan import Bake, SetGate, Step


def ramp_steps(ramp: Ramp, like: Step) -> tuple[Step, ...]:
    """Return the steps of a ramp, each with a bake after it.

    They are as `like` is, with its id before theirs. Only the first asks whether it is wanted, as a
    condition about a percentage would not hold for long; the others require it.
    """
    steps: list[Step] = []
    where = ", ".join(ramp.environments)
    for percentage in ramp.percentages:
        share, name = format_percentage(percentage), _slug(format_percentage(percentage))
        change = _change(ramp, percentage)
        steps += [
            replace(
                like,
                id=f"{like.id}-{name}",
                title=f"Set {share} % of {_NOUNS[ramp.by]} in {where}",
                action=SetGate(environments=ramp.environments, change=change),
            ),
            replace(
                like,
                id=f"{like.id}-bake-{name}",
                title=f"Hold {share} % for {spoken(ramp.dwell.total_seconds())}",
                action=Bake(duration=ramp.dwell),
            ),
        ]
    return tuple(
        steps[:1] + [replace(each, when="", requires=(steps[0].id,)) for each in steps[1:]]
    )


_NOUNS = {ShareOf.ACTORS: "actors", ShareOf.TIME: "checks", ShareOf.REQUEST: "requests"}


def _change(ramp: Ramp, percentage: Decimal) -> GateChange:
    """Return the change: a request is an actor like any other, asked for by whoever serves it."""
    match ramp.by:
        case ShareOf.ACTORS | ShareOf.REQUEST:
            return PercentageOfActors(value=percentage)
        case ShareOf.TIME:
            return PercentageOfTime(value=percentage)
        case _:
            assert_never(ramp.by)


def _slug(share: str) -> str:
    return share.replace(".", "-")
