"""Which issues are behind their rollouts, and how do they catch up?"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from flagstaff.definitions.web_address import is_web_address
from flagstaff.engine.complaints import Complaints
from flagstaff.engine.listening import Listener
from flagstaff.engine.world import World
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.services.running import RolloutRecord
from flagstaff.services.services import EVERYTHING, Services
from flagstaff.services.unit import Unit

PREFIX = "rollout:"


class Issues:
    """Keeps issues that are files in step with their rollouts, whoever moved these.

    An issue is its newest rollout's. One that cannot be written stays behind and is tried again at
    every look while its rollout goes on, which does not wait for it; when that is over, it is tried
    once more, and again when the engine starts.
    """

    def __init__(self, services: Services, world: World, complaints: Complaints) -> None:
        self._services = services
        self._world = world
        self._complaints = complaints
        self._behind: set[int] = set()
        self._any_may_be = False
        self._lock = threading.Lock()
        self._listener = Listener(services, world, complaints, self._note)

    def listen(self, numbers: Iterable[int]) -> None:
        """Pass on what people have said in the issues of these rollouts."""
        self._listener.listen(numbers)

    def hear(self, names: frozenset[str]) -> None:
        """Note which rollouts have moved, from the names that listeners are told."""
        moved = {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}
        numbers = {int(number) for number in moved}
        self._listener.hear(numbers)
        with self._lock:
            self._behind |= numbers
            self._any_may_be |= EVERYTHING in names

    def hear_all(self) -> None:
        """Note the newest rollouts: they may have moved while nobody listened."""
        numbers = self._services.ask(running.recent_numbers, ENGINE)
        with self._lock:
            self._behind |= set(numbers)

    def follow(self) -> None:
        """Bring every issue that is behind up to date."""
        with self._lock:
            any_may_be, self._any_may_be = self._any_may_be, False
        if any_may_be:
            self.hear_all()
        with self._lock:
            behind, self._behind = self._behind, set()
        for number in sorted(behind):
            if self._stays_behind(number):
                with self._lock:
                    self._behind.add(number)

    def _note(self, number: int) -> None:
        with self._lock:
            self._behind.add(number)

    def _stays_behind(self, number: int) -> bool:
        over = False
        with self._complaints.about(f"the issue of rollout {number}") as outcome:
            record, owned = self._services.ask(lambda unit: _look(unit, number), ENGINE)
            over = record.rollout.phase.finished
            on_forge = is_web_address(record.issue_path)  # followed beside the engine
            if owned and not on_forge and record.rollout.started_at is not None:
                self._world.follow_issue(Path(record.issue_path), record.rollout)
        return not outcome.good and not over


def _look(unit: Unit, number: int) -> tuple[RolloutRecord, bool]:
    """Return the rollout, and whether its issue is its own to write."""
    record = running.find(unit, number)
    return record, running.owns_issue(unit, record)
