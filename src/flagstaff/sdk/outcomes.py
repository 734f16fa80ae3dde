"""How did it go for those with a flag on, and for those with it off?

Counts are of this process since it began to count, so a report that is lost or arrives twice
changes nothing: the next one says it all again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NamedTuple

from flagstaff.flags.compile import CompiledFlag
from flagstaff.flags.draw import Draw
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.fast import Check
from flagstaff.flags.surroundings import Counter, Hit
from flagstaff.sdk.crowds import Crowds, Mark
from flagstaff.sdk.exposures import Tally

OUTCOMES: Final = "outcomes"
SERVER_ERRORS, REDIRECTS = "5xx", "302"
"""What is counted: what the application itself calls good or bad, or how requests were answered."""

REQUESTS, JOBS = "requests", "jobs"
RETRIED, WAITS = "retried", "waits"
"""Of jobs: tries that end in another one, and how long it takes until the first begins."""

SLOW_REQUESTS: Final = (0.25, 1.0, 5.0)
SLOW_JOBS: Final = (1.0, 10.0, 60.0)
"""Seconds above which requests and jobs are counted as slow, where nothing else is asked for."""

LIMIT: Final = 500
"""How many flags are counted for, each kind of outcome for itself; those in a rollout are few."""


class Answered(NamedTuple):
    """The answer of a flag, and for whom, where actors are counted."""

    on: bool
    mark: Mark | None = None


_asked: ContextVar[dict[str, Answered] | None] = ContextVar("flagstaff_asked", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How often it went well and badly with one flag on and off, in this process so far.

    `seconds` is for how long that was counted.
    """

    flag: str
    kind: str
    on: int
    on_bad: int
    off: int
    off_bad: int
    seconds: float

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return {
            "flag": self.flag,
            "kind": self.kind,
            "on": self.on,
            "on_bad": self.on_bad,
            "off": self.off,
            "off_bad": self.off_bad,
            "seconds": round(self.seconds, 1),
        }


def slow_kind(what: str, bound: float) -> str:
    """Return the kind of outcome that is bad when it took more than `bound` seconds.

    >>> slow_kind("requests", 0.25)
    'requests over 0.25 s'
    """
    return f"{what} over {bound:g} s"


class _Four:
    """The four counters of one flag, and since when they count."""

    __slots__ = ("began", "tallies")

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.tallies = {(on, ok): Tally() for on in (True, False) for ok in (True, False)}


class Outcomes:
    """The outcomes of one process; counting is a look-up and one C call."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Four] = {}

    def __len__(self) -> int:
        return len(self._found)

    def count(self, flag: str, kind: str, *, on: bool, ok: bool) -> None:
        """Count one outcome."""
        four = self._found.get((flag, kind))
        if four is None:
            if len(self._found) >= LIMIT:
                return
            four = self._found.setdefault((flag, kind), _Four())
        four.tallies[on, ok].hit()

    def totals(self) -> list[Outcome]:
        """Return everything counted so far; one thread at a time."""
        now = time.monotonic()
        found = []
        for (flag, kind), four in list(self._found.items()):
            # Failures first: what comes in between must not look like a failure of nothing.
            bad = {on: four.tallies[on, False].total() for on in (True, False)}
            good = {on: four.tallies[on, True].total() for on in (True, False)}
            found.append(
                Outcome(
                    flag=flag,
                    kind=kind,
                    on=good[True] + bad[True],
                    on_bad=bad[True],
                    off=good[False] + bad[False],
                    off_bad=bad[False],
                    seconds=now - four.began,
                )
            )
        return found

    def after_fork(self) -> None:
        """Leave the parent's counts to the parent."""
        self._found = {}


@contextmanager
def asked_in_here() -> Iterator[dict[str, Answered]]:
    """Yield what flags that are attended to answer inside; the last answer of each counts."""
    found: dict[str, Answered] = {}
    token = _asked.set(found)
    try:
        yield found
    finally:
        _asked.reset(token)


def note_asked(name: str, answer: bool, mark: Mark | None = None) -> None:  # noqa: FBT001 - it is the answer
    """Note an answer for whoever attends to the flag here."""
    found = _asked.get()
    if found is not None:
        found[name] = Answered(answer, mark)


def attending(name: str, check: Check) -> Check:
    """Return a check that also notes its answer for whoever attends to it."""

    def attended(actors: tuple[object, ...]) -> bool:
        answer = check(actors)
        note_asked(name, answer)
        return answer

    return attended


def marking(
    compiled: CompiledFlag, draw: Draw, crowds: Crowds, counter: Counter, *, attended: bool
) -> Check:
    """Return a check of a flag that also notes who is asked about.

    Args:
        compiled: the flag.
        draw: the one its answers belong to.
        crowds: where actors are noted.
        counter: makes what counts answers.
        attended: whether the answer is noted for whoever attends to the flag.
    """
    flag, decide = compiled.flag, compiled.decide
    hits: dict[Gate, Hit] = {}

    def marked(actors: tuple[object, ...]) -> bool:
        gate = decide(actors)
        answer = compiled.value(gate)
        hit = hits.get(gate)
        if hit is None:
            hit = hits[gate] = counter(flag.name, answer, gate)
        hit()
        mark = crowds.asked(flag, draw, actors, gate)
        if attended:
            note_asked(flag.name, answer, mark)
        return answer

    return marked
