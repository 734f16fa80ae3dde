"""What was done with the jobs that waited under an old name, in each place?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from flagstaff.workers.migration import Migration

PASSES = 20
"""Jobs that move while they are read are found by the next pass; somebody may publish for ever."""

Tell = Callable[[str, int, int], None]
"""Called with a place, how many of its messages were read, and how many there were."""


@dataclass(slots=True, kw_only=True)
class Moved:
    """What was done in one place; sums grow while it is done.

    Attributes:
        place: in words, such as `queue project_service`.
        jobs: so many that waited under the old name wait under the new one, or in the new queue.
        embedded: so many other messages had one of the name to follow them, and have the new one.
        left: so many messages hold the old name still, or cannot be read.
        doubt: why they cannot be read; empty when they can.
    """

    place: str
    jobs: int = 0
    embedded: int = 0
    left: int = 0
    doubt: str = ""

    @property
    def changed(self) -> int:
        """Return how many messages are another."""
        return self.jobs + self.embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a migration, or would come of it.

    Attributes:
        migration: what was wanted.
        places: those where something was found, in the order of their names.
        settled: whether the last pass found nothing more to do; False when somebody still
            publishes the old name as quickly as it is migrated.
    """

    migration: Migration
    places: tuple[Moved, ...]
    settled: bool

    @property
    def jobs(self) -> int:
        """Return the number of jobs that were migrated."""
        return sum(each.jobs for each in self.places)

    @property
    def left(self) -> int:
        """Return how many messages hold the old name still."""
        return sum(each.left for each in self.places)

    @property
    def complete(self) -> bool:
        """Say whether nothing that waits at the broker holds the old name."""
        return self.settled and not self.left

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            **asdict(self.migration),
            "jobs": self.jobs,
            "embedded": sum(each.embedded for each in self.places),
            "left": self.left,
            "settled": self.settled,
            "places": [asdict(each) for each in self.places],
        }


def until_settled(
    migration: Migration, look: Callable[[], list[Moved]], passes: int = PASSES
) -> Outcome:
    """Look again and again, until one look changes nothing; return what all of them did."""
    sums: dict[str, Moved] = {}
    for _ in range(passes):
        found = {each.place: each for each in look()}
        for place in sums.keys() | found.keys():
            now, sum_ = found.get(place), sums.setdefault(place, Moved(place=place))
            sum_.left, sum_.doubt = (0, "") if now is None else (now.left, now.doubt)
            if now is not None:
                sum_.jobs += now.jobs
                sum_.embedded += now.embedded
        settled = not any(each.changed for each in found.values())
        if settled:
            break
    places = (sums[place] for place in sorted(sums))
    told = tuple(each for each in places if each.changed or each.left)
    return Outcome(migration=migration, places=told, settled=settled)
