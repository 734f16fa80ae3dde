"""How often was each flag answered, with which value, through which gate?"""

from __future__ import annotations

import threading
from collections.abc import Container
from dataclasses import dataclass
from itertools import count
from typing import SupportsIndex, cast

from flagstaff.flags.evaluation import Gate
from flagstaff.flags.surroundings import Hit

LIMIT = 1_000
"""How many unknown names are kept; code that makes names up must not fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How many answers of one flag had this value through this gate since the last report."""

    flag: str
    value: bool
    gate: Gate
    count: int

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return {
            "flag": self.flag,
            "value": self.value,
            "gate": self.gate.value,
            "count": self.count,
        }


class Tally:
    """A counter whose `hit` is one C call: no count is lost between threads, and none waits.

    Reading needs a hit of its own, which is taken off again.
    """

    __slots__ = ("_forgotten", "_reads", "_taken", "hit")

    def __init__(self) -> None:
        self.hit: Hit = count().__next__
        self._reads = 0
        self._taken = 0
        self._forgotten = 0

    def take(self) -> int:
        """Return the hits since the last `take`; one thread at a time."""
        hits = self._hits()
        new, self._taken = hits - self._taken, hits
        return new

    def total(self) -> int:
        """Return all hits in this process; one thread at a time."""
        return self._hits() - self._forgotten

    def forget(self) -> None:
        """Count from nothing again."""
        self._taken = self._forgotten = self._hits()

    def _hits(self) -> int:
        hits = int(cast("SupportsIndex", self.hit())) - self._reads
        self._reads += 1
        return hits


class Exposures:
    """The counters of one process, bounded by the flags of the snapshot."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, bool, Gate], Tally] = {}
        self._unanswered: dict[str, int] = {}
        self._reported: dict[str, int] = {}
        self._lock = threading.Lock()
        self.dropped = 0

    def counter(self, flag: str, value: bool, gate: Gate) -> Hit:  # noqa: FBT001 - it is the answer
        """Return what counts these answers; the same for the same three."""
        return self._tallies.setdefault((flag, value, gate), Tally()).hit

    def unanswered(self, flag: str) -> bool:
        """Count a question that only a default could answer; return whether it is the first."""
        with self._lock:
            if flag not in self._unanswered and len(self._unanswered) >= LIMIT:
                self.dropped += 1
                return False
            self._unanswered[flag] = self._unanswered.get(flag, 0) + 1
            return self._unanswered[flag] == 1

    def unanswered_counts(self) -> dict[str, int]:
        """Return the flags that are unknown or fail, and how often each was asked about."""
        with self._lock:
            return dict(self._unanswered)

    def take_unknown(self, known: Container[str]) -> dict[str, int]:
        """Return how often flags that are not `known` were asked for since the last call."""
        with self._lock:
            taken = {
                flag: new
                for flag, count in self._unanswered.items()
                if flag not in known and (new := count - self._reported.get(flag, 0))
            }
            self._reported.update({flag: self._unanswered[flag] for flag in taken})
        return taken

    def take(self, known: Container[str]) -> list[Exposure]:
        """Return what was counted since the last call, and forget flags that are not `known`."""
        taken: list[Exposure] = []
        with self._lock:
            for key, tally in list(self._tallies.items()):
                flag, value, gate = key
                if new := tally.take():
                    taken.append(Exposure(flag=flag, value=value, gate=gate, count=new))
                elif flag not in known:
                    del self._tallies[key]
        return taken

    def totals(self) -> list[Exposure]:
        """Return everything counted in this process so far, whether or not it was reported."""
        with self._lock:
            return [
                Exposure(flag=flag, value=value, gate=gate, count=total)
                for (flag, value, gate), tally in list(self._tallies.items())
                if (total := tally.total())
            ]

    def drop(self, count: int) -> None:
        """Give up on answers that were counted and could not be reported, but keep their number."""
        with self._lock:
            self.dropped += count

    def after_fork(self) -> None:
        """Leave the parent's counts to the parent."""
        self._lock = threading.Lock()
        for tally in self._tallies.values():
            tally.forget()
        self._unanswered.clear()
        self._reported.clear()
        self.dropped = 0
