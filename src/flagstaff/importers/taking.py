"""What does a condition of another system become in one environment?"""

from __future__ import annotations

from collections.abc import Mapping

from flagstaff.errors import UsageError
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.gates import Gates
from flagstaff.importers.condition import (
    NOBODY,
    UNKNOWN,
    Condition,
    Share,
    Test,
    Unknown,
    at_least,
    parts_of,
)
from flagstaff.importers.gates import gates_of, moves
from flagstaff.importers.model import Answer, Fate, ImportedFlag, Loss, Taken


class Losses:
    """What is lost while one flag is read, in the order in which it was found."""

    def __init__(self) -> None:
        self._found: dict[Loss, None] = {}

    def __call__(self, place: str, why: str) -> Condition:
        """Note it, and return what stands in its place."""
        self._found[Loss(place, why)] = None
        return UNKNOWN

    @property
    def listed(self) -> tuple[Loss, ...]:
        """Return all of them."""
        return tuple(self._found)


def take(
    condition: Condition,
    answer: Answer,
    losses: Losses,
    *,
    name: str,
    bucketing: Bucketing,
) -> Taken:
    """Return what becomes of a flag that is on for those who meet the condition.

    Args:
        condition: for whom it is on.
        answer: what the other system answers.
        losses: what of it could not be said.
        name: the flag's name here.
        bucketing: how its share of actors is picked here.
    """
    certain = at_least(condition)
    try:
        gates = gates_of(certain)
    except UsageError as exc:
        losses("$", f"its rules are too many for one expression ({exc.message})")
        gates, certain = Gates(), NOBODY
    reads = any(
        isinstance(each, Test | Unknown) or (isinstance(each, Share) and each.by is not None)
        for each in parts_of(condition)
    )
    if losses.listed:
        fate = Fate.LOST if gates == Gates() else Fate.PARTLY
    elif moves(certain, name=name, bucketing=bucketing):
        fate = Fate.MOVED
    else:
        fate = Fate.SAME
    return Taken(gates=gates, fate=fate, losses=losses.listed, answer=answer, reads=reads)


def nameless(theirs: str, place: str, names: Mapping[str, str]) -> ImportedFlag | None:
    """Return the flag that cannot have a name here, None if it can."""
    if names[theirs]:
        return None
    why = "no name of a flag can be made of it, or another flag of the export has it already"
    return ImportedFlag(theirs=theirs, name="", losses=(Loss(place, why),))
