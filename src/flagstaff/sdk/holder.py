"""Which snapshot is in force, and how is it replaced?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from flagstaff.errors import SnapshotError
from flagstaff.flags.compile import Compiled, compile_snapshot
from flagstaff.flags.flag import Flag
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.surroundings import Surroundings
from flagstaff.sdk.crowds import Crowds
from flagstaff.sdk.outcomes import attending, marking
from flagstaff.sdk.readiness import Mode

log = logging.getLogger("flagstaff")

Listener = Callable[[Compiled], None]
ModeListener = Callable[[Mode, str], None]


class Holder:
    """The snapshot in force; sources write to it, the client's hot path reads `compiled`."""

    def __init__(self, environment: str, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._lock = threading.RLock()
        self._base = Snapshot(environment=environment)
        self._overrides: dict[str, Flag] = {}
        self._listeners: list[Listener] = []
        self.attended: frozenset[str] = frozenset()
        self._named: frozenset[str] = frozenset()
        self._attends_rollouts = False
        self._mode_listeners: list[ModeListener] = []
        self.crowds = Crowds()
        self.compiled = compile_snapshot(self._base, surroundings)
        self.ready = False
        self.mode = Mode.STARTING
        self.problem = ""

    @property
    def snapshot(self) -> Snapshot:
        """Return the snapshot as its source gave it, without overrides."""
        return self._base

    def listen(self, listener: Listener) -> None:
        """Call `listener` now and after every change, before `replace` returns."""
        with self._lock:
            self._listeners.append(listener)
            listener(self.compiled)

    def listen_to_mode(self, listener: ModeListener) -> None:
        """Call `listener` with the mode and the problem, whenever one of them changes."""
        self._mode_listeners.append(listener)

    def forget(self, listener: Listener, mode_listener: ModeListener) -> None:
        """Call these no more."""
        with self._lock:
            self._listeners = [each for each in self._listeners if each != listener]
            self._mode_listeners = [each for each in self._mode_listeners if each != mode_listener]

    def replace(self, snapshot: Snapshot) -> None:
        """Put `snapshot` in force.

        Raises:
            SnapshotError: it is of another environment or cannot be compiled; the last one stays.
        """
        if snapshot.environment != self._base.environment:
            raise SnapshotError(
                f"the snapshot is of {snapshot.environment!r}, not of {self._base.environment!r}",
                hint="the token or the path belongs to another environment",
            )
        with self._lock:
            self._put(snapshot, self._overrides)
            self.ready = True

    def override(self, overrides: Mapping[str, Flag]) -> None:
        """Put `overrides` over whatever the source says, in place of those in force."""
        with self._lock:
            self._put(self._base, dict(overrides))

    def attend(self, names: Iterable[str] | None) -> None:
        """Have the answers of these flags noted, from now on and after every change.

        None are those in a rollout, whichever they are at the time.
        """
        with self._lock:
            self._attends_rollouts |= names is None
            self._named |= frozenset(names or ())
            self._put(self._base, self._overrides)

    @property
    def overrides(self) -> Mapping[str, Flag]:
        """Return the flags that are overridden."""
        return self._overrides

    def report(self, mode: Mode, problem: str = "") -> None:
        """Note where the source stands; a new problem is logged once, not at every attempt."""
        if self.mode is Mode.CLOSED:
            return
        if problem and problem != self.problem:
            log.warning("%s", problem)
        elif self.problem and not problem:
            log.info("flags are up to date again")
        changed = (mode, problem) != (self.mode, self.problem)
        self.mode, self.problem = mode, problem
        if changed:
            for listener in self._mode_listeners:
                listener(mode, problem)

    def after_fork(self) -> None:
        """Leave a lock that some thread of the parent may hold for ever."""
        self._lock = threading.RLock()
        self.crowds.after_fork()

    def _put(self, base: Snapshot, overrides: dict[str, Flag]) -> None:
        effective = base
        if overrides:
            drawn = {name: each for name, each in base.drawn.items() if name not in overrides}
            effective = replace(base, flags={**base.flags, **overrides}, drawn=drawn)
        compiled = compile_snapshot(effective, self._surroundings, self.compiled)
        self.attended = self._named | (base.in_rollout if self._attends_rollouts else frozenset())
        for name in self.attended & compiled.checks.keys():
            compiled.checks[name] = attending(name, compiled.checks[name])
        for name in effective.drawn.keys() & compiled.checks.keys():
            compiled.checks[name] = marking(
                compiled.flags[name],
                effective.drawn[name],
                self.crowds,
                self._surroundings.counter,
                attended=name in self.attended,
            )
        self.crowds.follow(effective.drawn)
        self._base, self._overrides, self.compiled = base, overrides, compiled
        for listener in self._listeners:
            listener(compiled)
