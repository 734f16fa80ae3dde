"""Is a flag asked for with an actor? One question now and then is looked at, all others are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from flagstaff.flags.fast import Check

MOST = 10_000
"""Questions that are remembered between two reports; newer ones push out older ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of the questions about a flag that were looked at, how many named an actor."""

    flag: str
    with_actor: int
    without_actor: int

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return {
            "flag": self.flag,
            "with_actor": self.with_actor,
            "without_actor": self.without_actor,
        }


class Samples:
    """Looks at the next question about each flag, by standing in its place for that one time.

    So nothing is added to all the other questions.
    """

    def __init__(self) -> None:
        self._found: deque[tuple[str, bool]] = deque(maxlen=MOST)
        self._standing: dict[str, Check] = {}

    def look(self, checks: dict[str, Check], *, besides: Collection[str] = ()) -> None:
        """Look at the next question about every flag, except those that are asked elsewhere too."""
        for name, check in list(checks.items()):
            if name not in besides and check is not self._standing.get(name):
                self._standing[name] = checks[name] = self._in_place_of(check, name, checks)

    def note(self, name: str, actors: tuple[object, ...]) -> None:
        """Remember one question."""
        self._found.append((name, any(each is not None for each in actors)))

    def take(self, known: Collection[str]) -> list[Asked]:
        """Return what was seen since the last call of flags that are `known`."""
        counts: dict[str, list[int]] = {}
        for _ in range(len(self._found)):
            name, named = self._found.popleft()
            counts.setdefault(name, [0, 0])[named] += 1
        return [
            Asked(flag=name, with_actor=seen, without_actor=bare)
            for name, (bare, seen) in counts.items()
            if name in known
        ]

    def after_fork(self) -> None:
        """Leave the parent's questions to the parent."""
        self._found.clear()

    def _in_place_of(self, check: Check, name: str, checks: dict[str, Check]) -> Check:
        def once(actors: tuple[object, ...]) -> bool:
            checks[name] = check
            self.note(name, actors)
            return check(actors)

        return once
