"""How many actors would change their answer?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flagstaff.flags.actor import Actor
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import State
from flagstaff.importers.evaluating import Evaluating
from flagstaff.importers.model import Fate, ImportedFlag, Taken

EXAMPLES = 3
_NEAR = 0.001
"""Of a probability: our percentages have three decimals, and theirs often fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The answers to one flag in one environment, before and after.

    Attributes:
        flag: its name here.
        environment: ours.
        actors: how many were asked about.
        unchanged: how many keep their answer for certain.
        gain: how many would get the flag; an expected value where chance decided before.
        lose: how many would lose it.
        drawn: for how many every check draws, before and after alike.
        unforeseeable: for how many nobody can say what they were answered.
        examples: some who gain and some who lose it.
    """

    flag: str
    environment: str
    actors: int
    unchanged: int = 0
    gain: float = 0
    lose: float = 0
    drawn: int = 0
    unforeseeable: int = 0
    examples: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def compare(
    taken: Sequence[tuple[ImportedFlag, Taken]],
    after: Mapping[str, Flag],
    actors: Sequence[Actor],
    *,
    environment: str,
    done: Callable[[str], object] = len,
) -> list[Comparison]:
    """Return for each flag what changes for whom.

    Args:
        taken: the flags, with what they are in the environment there.
        after: all flags of the environment here, as they would be.
        actors: who is asked about.
        environment: ours.
        done: hears the name of each flag that is finished.
    """
    evaluating = Evaluating(after)
    found = []
    for flag, place in taken:
        if _is_plain(place, after[flag.name]):
            count = len(actors)
            alike = Comparison(
                flag=flag.name, environment=environment, actors=count, unchanged=count
            )
            found.append(alike)
        else:
            found.append(_one(flag, place, evaluating, actors, environment))
        done(flag.name)
    return found


def _is_plain(place: Taken, flag: Flag) -> bool:
    """Return whether nobody has to be asked: it is on or off for everybody, before and after."""
    return (
        place.fate is Fate.SAME
        and not flag.prerequisites
        and flag.gates == place.gates
        and (place.gates.boolean or place.gates.state is State.OFF)
    )


def _one(
    flag: ImportedFlag,
    place: Taken,
    evaluating: Evaluating,
    actors: Sequence[Actor],
    environment: str,
) -> Comparison:
    ours, theirs = evaluating.of(flag.name), place.answer
    unchanged = drawn = unforeseeable = 0
    gain = lose = 0.0
    gainers: list[str] = []
    losers: list[str] = []
    for actor in actors:
        before, now = theirs(actor), ours(actor)
        if before is None or now is None:
            unforeseeable += 1
        elif before == now and now in (0, 1):
            unchanged += 1
        elif 0 < before < 1 and 0 < now < 1 and abs(before - now) <= _NEAR:
            drawn += 1
        else:
            gain += now * (1 - before)
            lose += before * (1 - now)
            _example(gainers, actor, wanted=now > before)
            _example(losers, actor, wanted=before > now)
    return Comparison(
        flag=flag.name,
        environment=environment,
        actors=len(actors),
        unchanged=unchanged,
        gain=_counted(gain),
        lose=_counted(lose),
        drawn=drawn,
        unforeseeable=unforeseeable,
        examples=(tuple(gainers), tuple(losers)),
    )


def _example(listed: list[str], actor: Actor, *, wanted: bool) -> None:
    if wanted and len(listed) < EXAMPLES:
        listed.append(actor.flag_id)


def _counted(number: float) -> float:
    """Return whole numbers as such, and expected values with a decimal."""
    near = round(number)
    return near if abs(number - near) < 1e-6 else round(number, 1)  # noqa: PLR2004 - rounding
