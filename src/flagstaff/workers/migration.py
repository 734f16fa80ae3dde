"""What is to become of jobs that wait under an old name?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flagstaff.errors import UsageError

OTHER_SIDE = {"old": "new", "new": "old"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What is to become of jobs that wait under an old name.

    Attributes:
        old: the name that they have.
        new: the name that they get; the same where they only change their queue.
        old_queue: jobs that wait there move to `new_queue`; elsewhere they stay where they are.
        new_queue: given when `old_queue` is.
    """

    old: str
    new: str
    old_queue: str = ""
    new_queue: str = ""

    def __post_init__(self) -> None:
        if bool(self.old_queue) != bool(self.new_queue):
            raise UsageError(
                "one queue is named, and not the other",
                hint="give --old-queue and --new-queue, or neither where jobs stay in theirs",
            )
        if self.old == self.new and self.old_queue == self.new_queue:
            raise UsageError(
                f"{self.old} stays what and where it is", hint="give another name, or two queues"
            )

    def target(self, queue: str) -> str:
        """Return where jobs of a queue are to wait."""
        return self.new_queue if self.old_queue and queue == self.old_queue else queue

    def noted(self, header: dict[str, Any], target: str) -> dict[str, Any]:
        """Return the header of a job that waits in `target` now, for the side that it is on now."""
        made = dict(header)
        if self.old != self.new and made.get("variant") in OTHER_SIDE:
            made["variant"] = OTHER_SIDE[made["variant"]]
        if "queue" in made:
            made["queue"] = target
        return made
