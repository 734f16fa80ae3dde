"""What does this process alone work on, and may it still?

A lease is sure for as long as the process asked for, counted from before it asked, by a clock that
nobody sets. So whoever was stopped or cut off for longer knows that another may have gone on.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from flagstaff.engine.complaints import Complaints
from flagstaff.services import looking
from flagstaff.services.clock import elapsed
from flagstaff.services.looking import Claimant
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services

TERM: Final = timedelta(seconds=10)
"""How long a lease is; nobody waits half as long for the database or gives an answer so late."""

LONGEST: Final = 600.0
"""Real seconds after which work that has not ended is given to another."""

FOLLOWING: Final = "following"
"""Keeping issues and threads in step with their rollouts: two that did so would meet."""


@dataclass(slots=True)
class _Held:
    token: int
    since: float
    sure_until: float


class Leases:
    """The leases of this process; a thread of its own prolongs those of work that takes long."""

    def __init__(
        self, services: Services, complaints: Complaints, *, term: timedelta = TERM
    ) -> None:
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex[:8]}"
        self._services = services
        self._complaints = complaints
        self._term = term
        self._held: dict[int | str, _Held] = {}
        self._lock = threading.Lock()
        self._alone = services.database.engine.dialect.name != "postgresql"
        self._leads_until = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flagstaff-leases", daemon=True)

    def claimant(self) -> Claimant:
        """Return who asks for a lease now."""
        clock = self._services.clock
        return Claimant(name=self.name, term=self._term, wall=clock.wall(clock.now()))

    def hold(self, what: int | str, token: int, *, asked_at: float) -> None:
        """Note a lease on a rollout or an effect that was asked for at `elapsed()`."""
        held = _Held(token, asked_at, asked_at + self._term.total_seconds())
        with self._lock:
            self._held[what] = held

    def keep(self, what: int | str) -> None:
        """Note that what is done under a lease may take as long as it takes."""
        with self._lock:
            if what in self._held:
                self._held[what].since = float("inf")

    def drop(self, what: int | str) -> None:
        """Note the end of a lease."""
        with self._lock:
            self._held.pop(what, None)

    def is_sure(self, what: int | str) -> bool:
        """Return whether nobody else can have a lease on it."""
        with self._lock:
            held = self._held.get(what)
        return held is not None and elapsed() < held.sure_until

    @property
    def leads(self) -> bool:
        """Return whether this process alone does what one replica has to do."""
        return self._alone or elapsed() < self._leads_until

    def start(self) -> None:
        """Begin to prolong leases, and to try for the duties of one replica alone."""
        self.prolong()
        self._thread.start()

    def stop(self) -> None:
        """Leave the duties to others."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._leads_until:
            self._leads_until = 0.0
            with self._complaints.about("the duties of this server"):
                self._leave_duties()

    def prolong(self) -> None:
        """Prolong leases on what is still worked on."""
        with self._complaints.about("the leases of this server"):
            self._renew()
            if not self._alone:
                self._take_duty()

    def _run(self) -> None:
        while not self._stopping.wait(self._term.total_seconds() / 3):
            self.prolong()

    def _renew(self) -> None:
        asked_at = elapsed()
        soon = asked_at + self._term.total_seconds() * 3 / 4
        with self._lock:
            held = {
                what: each.token
                for what, each in self._held.items()
                if each.sure_until < soon and asked_at - each.since < LONGEST
            }
        if not held:
            return
        rollouts = [(what, token) for what, token in held.items() if isinstance(what, int)]
        effects = [(what, token) for what, token in held.items() if isinstance(what, str)]
        with self._services.unit(ENGINE, write=True) as unit:
            kept = looking.renew(unit, self.claimant(), rollouts, effects)
        with self._lock:
            for what in kept & self._held.keys():
                if self._held[what].token == held[what]:
                    self._held[what].sure_until = asked_at + self._term.total_seconds()

    def _take_duty(self) -> None:
        asked_at = elapsed()
        with self._services.unit(ENGINE, write=True) as unit:
            ours = looking.take_duty(unit, self.claimant(), FOLLOWING)
        self._leads_until = asked_at + self._term.total_seconds() if ours else 0.0

    def _leave_duties(self) -> None:
        with self._services.unit(ENGINE, write=True) as unit:
            looking.leave_duties(unit, self.name)
