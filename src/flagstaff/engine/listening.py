"""What have people said in the issues that are files, and when has it to be looked for?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.world import World
from flagstaff.services import boxes, running
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services


class Listener:
    """Reads an issue again when its file or its rollout has changed, and passes on what people say.

    What is refused is said once, and tried again when the file is changed.

    Args:
        services: where the word of a person is given.
        world: what reads the file.
        complaints: where a refusal is said.
        note: called with the number of a rollout whose issue is to be answered.
    """

    def __init__(
        self,
        services: Services,
        world: World,
        complaints: Complaints,
        note: Callable[[int], None],
    ) -> None:
        self._services = services
        self._world = world
        self._complaints = complaints
        self._note = note
        self._paths: dict[int, Path | None] = {}
        self._stamps: dict[int, object] = {}
        self._lock = threading.Lock()

    def hear(self, numbers: Iterable[int]) -> None:
        """Have issues read again whose rollouts have moved: they may ask for something else now."""
        with self._lock:
            for number in numbers:
                self._stamps.pop(number, None)

    def listen(self, numbers: Iterable[int]) -> None:
        """Look into the issues of the rollouts that are not over."""
        active = set(numbers)
        for number in self._paths.keys() - active:
            del self._paths[number]
            with self._lock:
                self._stamps.pop(number, None)
        for number in sorted(active):
            with self._complaints.about(f"the boxes of rollout {number}"):
                self._listen(number)

    def _listen(self, number: int) -> None:
        if number not in self._paths:
            record = self._services.ask(lambda unit: running.find(unit, number), ENGINE)
            self._paths[number] = Path(record.issue_path) if record.issue_path else None
        path = self._paths[number]
        stamp = self._world.issue_stamp(path) if path else None
        if path is None or stamp is None:
            return
        with self._lock:
            if self._stamps.get(number) == stamp:
                return
            self._stamps[number] = stamp
        record, owned = self._services.ask(
            lambda unit: (found := running.find(unit, number), running.owns_issue(unit, found)),
            ENGINE,
        )
        if not owned or record.rollout.started_at is None:
            return
        for heard in self._world.hear_issue(path, record.rollout):
            with self._complaints.about(f"line {heard.answer.line} of {path.name}"):
                self._pass_on(number, heard, path.name)
        self._note(number)

    def _pass_on(self, number: int, heard: boxes.Heard, file: str) -> None:
        command = boxes.asked_by(number, heard.answer, file)
        if command is not None:
            by = self._services.ask(lambda unit: boxes.speaker(unit, heard, file), ENGINE)
            self._services.execute(command, by)
