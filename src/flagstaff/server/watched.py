"""Which flags are defined right now, also while somebody is editing the files?"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flagstaff.definitions import SETTINGS_FILE, Definitions
from flagstaff.definitions.folder import check_folder
from flagstaff.errors import Problem

LOOK_EVERY = 0.5
"""Seconds between looks at the files' times."""

log = logging.getLogger(__name__)

Signature = frozenset[tuple[str, int, int]]


class WatchedDefinitions:
    """The definitions of a folder, read again when a file in it changes.

    A file that is broken keeps the definitions it had when it was last in order; `problems` says
    what is wrong with it. The project's settings are read when the server starts; that they have
    changed is logged.

    Args:
        root: the project's folder; messages name files as seen from there.
        folder: the definitions, from `root`.
        clock: seconds that only grow.
    """

    def __init__(
        self, root: Path, folder: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._root = root
        self._folder = root / folder
        self._clock = clock
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._looked_at = clock()
        self._signature = _signature(self._folder)
        self._settings = _written(root / SETTINGS_FILE)
        self._found, self._problems = check_folder(self._folder, root=root)

    def __call__(self) -> Definitions:
        """Return the definitions as of half a second ago or later."""
        changed = False
        with self._lock:
            if self._clock() - self._looked_at >= LOOK_EVERY:
                changed = self._look()
            found = self._found
        if changed:
            for listener in self._listeners:
                listener()
        return found

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after the definitions, or their problems, have changed."""
        self._listeners.append(listener)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the files."""
        self()
        return self._problems

    def _look(self) -> bool:
        self._looked_at = self._clock()
        settings = _written(self._root / SETTINGS_FILE)
        if settings != self._settings:
            self._settings = settings
            log.warning("%s has changed: restart the server to have it count", SETTINGS_FILE)
        signature = _signature(self._folder)
        if signature == self._signature:
            return False
        self._signature = signature
        found, self._problems = check_folder(self._folder, root=self._root)
        broken = {self._root / problem.file for problem in self._problems}
        kept = [
            each for each in self._found.values() if each.name not in found and each.path in broken
        ]
        self._found = Definitions(
            [*found.values(), *kept], warnings=found.warnings, errors=self._problems
        )
        for problem in self._problems:
            log.warning("%s (the last good definition stays in force)", problem)
        return True


def _written(path: Path) -> tuple[int, int] | None:
    """Return when a file was written and how long it is, `None` if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _signature(folder: Path) -> Signature:
    found = set()
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".yml", ".yaml")):
                path = os.path.join(place, name)  # noqa: PTH118 a Path each would cost ten times
                try:
                    status = os.stat(path)  # noqa: PTH116 as above
                except OSError:
                    continue
                found.add((path, status.st_mtime_ns, status.st_size))
    return frozenset(found)
