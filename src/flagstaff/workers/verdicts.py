"""Does a job run, is it put off for so long, or is it dropped?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flagstaff.workers.switches import Action, Switches, Trickle, delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """How jobs are put off.

    Attributes:
        first: seconds for which a job is put off at first; it doubles each time.
        longest: seconds that it does not exceed. It has to be shorter than the broker waits for an
            acknowledgement, or jobs come twice: an hour on Redis.
        rate: so many jobs a second come back in each process once they may run; 0 is no limit.
    """

    first: float = 300.0
    longest: float = 900.0
    rate: float = 10.0


class Verdict(NamedTuple):
    """What becomes of a job instead of running; `seconds` for which it is put off."""

    action: Action
    seconds: float = 0.0


class Judge:
    """Says what becomes of jobs in one process.

    Args:
        switches: of the environment.
        deferral: how jobs are put off.
    """

    def __init__(self, switches: Switches, deferral: Deferral) -> None:
        self._switches, self._deferral = switches, deferral
        self._trickle = Trickle(deferral.rate)

    def __call__(self, name: str, job: str, times: int) -> Verdict | None:
        """Return the verdict on a job that was put off so many `times`; `None` lets it run."""
        action = self._switches.action(name, f"{job}:{times}")
        if action is Action.DROP:
            return Verdict(action)
        released = action is None and times > 0
        if action is None and (not released or self._trickle.passes()):
            return None
        # One that may run, and whose turn it is not, comes back sooner.
        settings = self._deferral
        seconds = delay(settings.first, 0 if released else times, settings.longest)
        return Verdict(Action.DEFER, seconds / 4 if released else seconds)


def times_of(header: Mapping[str, Any]) -> int:
    """Return how often a job was put off, by what travels with it."""
    times = header.get("deferred")
    return times if isinstance(times, int) and times > 0 else 0


def ran(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what travels on with a job that runs now: another try of it was not put off."""
    return {each: said for each, said in header.items() if each != "deferred"}
