"""What does the engine need of the outside, and does not fetch itself?"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from flagstaff.rollouts.checks import AskedOutside
from flagstaff.rollouts.effect import External, Post
from flagstaff.rollouts.event import Answer, EffectDone, EffectFailed, EffectHeld
from flagstaff.rollouts.guard import Guard, Kept, Measurement
from flagstaff.rollouts.plan import Plan
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.boxes import Heard


class World(Protocol):
    """The outside: what is measured there, and what is done."""

    def measure(self, guard: Guard, kept: Kept) -> Measurement:
        """Return what a guard has seen since watching began; `kept` is in the evidence already."""
        ...

    def check(self, check: AskedOutside, *, key: str, flag: str) -> Answer:
        """Return what a command, a web address or a broker says; may take as long as its timeout.

        Raises:
            FlagstaffError: it cannot be asked at all.
        """
        ...

    def perform(self, effect: External, plan: Plan) -> EffectDone | EffectFailed | EffectHeld:
        """Do one thing outside; doing it again after a crash changes nothing more.

        Raises:
            Unavailable: try again later.
            FlagstaffError: a person has to look.
        """
        ...

    def issue_stamp(self, path: Path) -> object:
        """Return what changes whenever the file does; `None` when there is no file."""
        ...

    def hear_issue(self, path: Path, rollout: Rollout) -> tuple[Heard, ...]:
        """Return what people have said by the boxes of an issue that is a file.

        Raises:
            Unavailable: the file cannot be read.
        """
        ...

    def announce(self, post: Post) -> None:
        """Say something that belongs to no rollout.

        Raises:
            Unavailable: try again later.
            FlagstaffError: it will never be taken.
        """
        ...

    def follow_issue(self, path: Path, rollout: Rollout) -> str:
        """Bring an issue that is a file up to date, and return its text."""
        ...
