"""What must happen now? Look at what is due, do what is to be done, until something changes.

The engine holds no state of its own: killed at any moment, this one or another goes on from the
rows. Anything observed is used only if the rollout has not moved since and is still this process's
to move; anything done outside has a key that is the same on every attempt.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.driver import BuiltIn, Driver, Loop
from flagstaff.engine.following import PREFIX, Issues
from flagstaff.engine.inquiries import Inquiries
from flagstaff.engine.leases import TERM, Leases
from flagstaff.engine.lives import Lives
from flagstaff.engine.looking import Looker
from flagstaff.engine.outgoing import Outbox
from flagstaff.engine.side_effects import SideEffects, Tell
from flagstaff.engine.world import World
from flagstaff.rollouts.next_look import DEPLOYMENTS, POLICIES, SWEEP
from flagstaff.services import looking, running
from flagstaff.services.clock import elapsed
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services

POLL = 0.5
"""Real seconds between looks when nothing wakes the engine."""

FACTS = {"deployments": DEPLOYMENTS, "locks": POLICIES, "flags": POLICIES}
"""What rollouts can wait for, by the beginning of the names that listeners are told."""


class Engine:
    """Runs every rollout that is due and that no other replica is about.

    One thread looks and decides, another does what is in the outbox, so that a slow chat or a long
    cleanup never keeps a guard from being looked at. A third prolongs leases, a fourth tells others
    what has changed.

    Attributes:
        ticks: how often it looked what is due.

    Args:
        services: where it reads and writes.
        world: what it observes and acts on.
        poll: real seconds between looks.
        term: how long a lease is.
        driver: makes it look; the built-in loop if there is none.
        tell: tells somebody outside of a change of a flag; `None` tells nobody.
    """

    def __init__(
        self,
        services: Services,
        world: World,
        *,
        poll: float = POLL,
        term: timedelta = TERM,
        driver: Driver | None = None,
        tell: Tell | None = None,
    ) -> None:
        self.ticks = 0
        self._services = services
        self._complaints = Complaints()
        self._issues = Issues(services, world, self._complaints)
        self._leases = Leases(services, self._complaints, term=term)
        self._inquiries = Inquiries(world, self._answered)
        self._looker = Looker(
            services, world, self._inquiries, self._leases, self._complaints, self._goes_on
        )
        self._outbox = Outbox(services, world, self._leases, self._complaints, self.wake)
        self._lives = Lives(services, world)
        self._stopping = threading.Event()
        self._looking = threading.Lock()
        self._facts: set[str] = set()
        self._swept_at: float | None = None
        self._driver = driver or BuiltIn(poll=poll)
        self._doing = Loop("doing", self._do, self._complaints, poll)
        self._side_effects = SideEffects(services, tell, self._complaints) if tell else None
        self._telling = Loop("telling", self._tell, self._complaints, poll)
        services.listen(self._hear)

    @property
    def leads(self) -> bool:
        """Return whether this is the replica that keeps issues and threads up to date."""
        return self._leases.leads

    def start(self) -> None:
        """Begin, after bringing the issues of earlier rollouts up to date."""
        self._leases.start()
        with self._complaints.about("the engine"):
            self._issues.hear_all()
        self._driver.start(self)
        self._doing.start()
        self._telling.start()

    def stop(self) -> None:
        """Finish the step at hand and end."""
        self._stopping.set()
        self._services.ignore(self._hear)
        self._driver.stop()
        self._doing.stop()
        self._telling.stop()
        self._leases.stop()

    def wake(self) -> None:
        """Look again at once."""
        self._driver.wake()
        self._doing.wake()
        self._telling.wake()

    def tick(self) -> None:
        """Look at every rollout that is not over, due or not, and do what is in the outbox.

        One that cannot be moved, or an effect that cannot be done, does not stop the others.
        """
        with self._services.unit(ENGINE, write=True) as unit:
            looking.sweep(unit)
            looking.wake_all(unit)
        self._listen()
        self.look()
        self._do()
        self._tell()
        self._issues.follow()

    def look(self) -> None:
        """Hear what issues say, look at what is due, until nothing is, and write the issues."""
        if self.leads:
            self._listen()
        with self._looking:  # a driver may have several threads
            self.ticks += 1
            self._sweep()
            self._wake_waiting()
            more = True
            while more and self._goes_on():
                more = self._looker.look()
                for number, at in self._looker.take_next_looks():
                    self._driver.wake(number, at)
        if self.leads:
            self._issues.follow()

    def next_look(self, number: int) -> datetime | None:
        """Return when a rollout wants to be looked at again; `None` is never."""
        return self._services.ask(lambda unit: looking.next_look_at(unit, number), ENGINE)

    def _listen(self) -> None:
        self._issues.listen(self._services.ask(running.followed_numbers, ENGINE))

    def settle(self, seconds: float = 60.0) -> None:
        """Wait for the checks and commands that are under way, so long at most."""
        self._inquiries.join(seconds)
        self._outbox.join(seconds)

    def _do(self) -> None:
        self._outbox.perform_due(self._goes_on)
        if self._goes_on():
            with self._complaints.about("the lives of flags"):
                self._lives.look()
        for notice in self._lives.waiting():
            if not self._goes_on():
                return
            with self._complaints.about(f"notice {notice.post.key}"):
                self._lives.perform(notice)

    def _tell(self) -> None:
        if self._side_effects is not None:
            self._side_effects.work(self._goes_on)

    def _goes_on(self) -> bool:
        return not self._stopping.is_set()

    def _sweep(self) -> None:
        """Now and then, find the rollouts that an older version has begun."""
        now = elapsed()
        if self._swept_at is not None and now - self._swept_at < SWEEP.total_seconds():
            return
        with self._services.unit(ENGINE, write=True) as unit:
            looking.sweep(unit)
        self._swept_at = now

    def _wake_waiting(self) -> None:
        """Have those looked at that wait for something that has changed."""
        facts, self._facts = self._facts, set()
        if not facts or not self._services.ask(
            lambda unit: looking.any_waiting(unit, facts), ENGINE
        ):
            return
        with self._services.unit(ENGINE, write=True) as unit:
            looking.wake_waiting(unit, facts)

    def _answered(self, number: int) -> None:
        """Have a rollout looked at whose check has its answer."""
        with self._complaints.about(f"rollout {number}"):
            with self._services.unit(ENGINE, write=True) as unit:
                looking.wake(unit, number)
            self._driver.wake(number)

    def _hear(self, names: frozenset[str]) -> None:
        self._issues.hear(names)
        facts = {FACTS[kind] for name in names if (kind := name.partition(":")[0]) in FACTS}
        if facts:
            self._facts = self._facts | facts
        for name in names:
            if name.startswith(PREFIX):
                self._driver.wake(int(name.removeprefix(PREFIX)))
        if any(not name.startswith("readings:") for name in names):
            self.wake()
