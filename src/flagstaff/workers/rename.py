"""What is one rename of a background job, and which of its two names is wanted now?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from flagstaff.errors import UsageError
from flagstaff.sdk.client import Client
from flagstaff.sdk.forking import survive
from flagstaff.sdk.options import address
from flagstaff.sdk.telemetry import More

log = logging.getLogger("flagstaff")


class Variant(StrEnum):
    """Which side of a rename a job belongs to."""

    OLD = "old"
    NEW = "new"


OTHER = {Variant.OLD: Variant.NEW, Variant.NEW: Variant.OLD}


class ByTime:
    """Asks the flag without an actor: each enqueue is drawn by itself."""

    def __repr__(self) -> str:
        return "BY_TIME"


BY_TIME = ByTime()

INTERRUPTS = {"SoftTimeLimitExceeded", "JobTimeoutException"}
"""What Celery and RQ raise in the middle of a job whose time is over; neither need be installed."""

Actor = Callable[..., object] | ByTime | None
"""Called with the job's own arguments; None to ask by the id of the job."""


class Flags(Protocol):
    """The part of `flagstaff.Client` that is needed here."""

    def is_enabled(self, name: str, *actors: object) -> bool:
        """Say whether the flag is on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Two names of one background job, one of which is to disappear.

    Attributes:
        flag: on where the new name is published.
        old_queue: where the old name waits; empty to leave it to the application's routes.
        new_queue: the same for the new name.
        actor: who the flag is asked about.
    """

    flag: str
    old: str
    new: str
    old_queue: str = ""
    new_queue: str = ""
    actor: Actor = None

    def __post_init__(self) -> None:
        if not (self.flag and self.old and self.new) or self.old == self.new:
            raise UsageError(
                f"the rename of {self.old!r} to {self.new!r} is none",
                hint="give a flag and two names that differ",
            )

    def name(self, variant: Variant) -> str:
        """Return the name of one side."""
        return self.new if variant is Variant.NEW else self.old

    def queue(self, variant: Variant) -> str:
        """Return the queue of one side, empty where the application's routes decide."""
        return self.new_queue if variant is Variant.NEW else self.old_queue

    def variant(self, name: str) -> Variant:
        """Return the side that a name stands for."""
        return Variant.NEW if name == self.new else Variant.OLD

    def wanted(
        self, flags: Flags, job: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Variant:
        """Ask the flag which name this job is to be published under."""
        return self._asked(flags, self._actors(job, args, kwargs))

    def ahead(self, flags: Flags, job: str) -> Variant:
        """Ask which name a job travels under until it is published.

        Args:
            flags: that are asked.
            job: its id, if it has one already. An actor is worked out from the arguments, which are
                not all known yet: so nobody is asked about, and the flag is on for all or off.
        """
        return self._asked(flags, (f"Job:{job}",) if job and self.actor is None else ())

    def _asked(self, flags: Flags, actors: tuple[Any, ...]) -> Variant:
        try:
            on = flags.is_enabled(self.flag, *actors)
        except (
            Exception
        ) as exc:  # a job must not be lost over the question under which name it goes
            if _interrupts(exc):
                raise
            log.exception("%s cannot be asked: a job is published as %s", self.flag, self.old)
            return Variant.OLD
        return Variant.NEW if on else Variant.OLD

    def _actors(self, job: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        if self.actor is None:
            return (f"Job:{job}",)
        if isinstance(self.actor, ByTime):
            return ()
        try:
            return (self.actor(*args, **kwargs),)
        except Exception as exc:  # a job must not be lost over the question who it is for
            if _interrupts(exc):
                raise
            log.exception("no actor for %s: the flag is asked about the job's id", self.old)
            return (f"Job:{job}",)


def _interrupts(exc: Exception) -> bool:
    """Say whether the job that publishes is told to stop, and somebody else wants to hear it."""
    return type(exc).__name__ in INTERRUPTS


class LateFlags:
    """The client that the environment describes, made when it is first asked: after a prefork.

    Raises:
        UsageError: the environment names no server.
    """

    def __init__(self) -> None:
        address(None, None, {})

        self._others: list[Callable[[], More]] = []
        self._client: Client | None = None
        self._lock = threading.Lock()
        survive(self)

    def connect(self) -> Client:
        """Make the client, unless it is there."""
        client = self._client
        if client is None:
            with self._lock:
                client = self._client = self._client or self._made()
        return client

    def _made(self) -> Client:
        client = Client.connect()
        for other in self._others:
            client.report_also(other)
        return client

    def is_enabled(self, name: str, *actors: object, default: bool | None = None) -> bool:
        """Say whether the flag is on."""
        return self.connect().is_enabled(name, *actors, default=default)

    def in_rollout(self, name: str) -> bool:
        """Say whether the flag is in a rollout, as `Client` does."""
        return self.connect().in_rollout(name)

    def count_outcome(self, name: str, kind: str, *, on: bool, ok: bool) -> None:
        """Count an outcome, as `Client` does."""
        self.connect().count_outcome(name, kind, on=on, ok=ok)

    def count_duration(
        self, name: str, what: str, *, on: bool, seconds: float, bounds: Iterable[float]
    ) -> None:
        """Count how long something took."""
        self.connect().count_duration(name, what, on=on, seconds=seconds, bounds=bounds)

    def report_also(self, other: Callable[[], More]) -> None:
        """Send what `other` returns with every report, as soon as there is a client."""
        with self._lock:
            self._others.append(other)
            if self._client is not None:
                self._client.report_also(other)

    def close(self) -> None:
        """Close the client, if it was made."""
        if self._client is not None:
            self._client.close()

    def after_fork(self) -> None:
        """Leave a lock that some thread of the parent may hold for ever."""
        self._lock = threading.Lock()
