"""May a job run now, or is it put off or thrown away?

Applications hear of switches as of any flag. What they say is looked up once for each snapshot, so
a job whose name has none costs one look into a dictionary.
"""

from __future__ import annotations

import random
import threading
import time
from enum import StrEnum
from typing import Any

from flagstaff.flags.compile import Compiled
from flagstaff.flags.switches import Kind, switch_of
from flagstaff.sdk.client import Client


class Action(StrEnum):
    """What becomes of a job instead of running."""

    DEFER = "deferred"
    DROP = "dropped"


class Trickle:
    """Lets so many jobs a second pass that were put off, in this process.

    Args:
        rate: jobs a second; 0 for no limit.
    """

    def __init__(self, rate: float) -> None:
        self._rate, self._lock = rate, threading.Lock()
        self._tokens, self._at = 1.0, time.monotonic()

    def passes(self) -> bool:
        """Return whether one more may pass now."""
        if not self._rate:
            return True
        with self._lock:
            now = time.monotonic()
            gained = (now - self._at) * self._rate
            self._tokens, self._at = min(max(1.0, self._rate), self._tokens + gained), now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class Switches:
    """The switches of one client's environment."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._found: dict[str, dict[Kind, tuple[str, ...]]] = {}

    def follow(self, client: Any) -> None:
        """Read them from a client's snapshots from now on; whoever else answers has none."""
        if isinstance(client, Client) and self._client is None:
            self._client = client
            client.holder.listen(self._read)

    def has(self, task: str) -> bool:
        """Say whether there is one for jobs of a name."""
        return task in self._found

    def action(self, task: str, job: str) -> Action | None:
        """Return what becomes of a job instead of running, `None` when it may run.

        Args:
            task: its name.
            job: names this very try, so that one that is put off gets another answer next time.
        """
        found = self._found.get(task)
        if found is None or self._client is None:
            return None
        enabled, actor = self._client.is_enabled, f"Job:{job}"
        if any(enabled(flag, actor, default=False) for flag in found.get(Kind.DROP, ())):
            return Action.DROP
        if all(enabled(flag, actor, default=True) for flag in found.get(Kind.RUN, ())):
            return None
        return Action.DEFER

    def _read(self, compiled: Compiled) -> None:
        found: dict[str, dict[Kind, tuple[str, ...]]] = {}
        for name, flag in compiled.snapshot.flags.items():
            switch = switch_of(name)
            if switch is not None and flag.gates is not None:
                kinds = found.setdefault(switch.task, {})
                kinds[switch.kind] = (*kinds.get(switch.kind, ()), name)
        self._found = found


def delay(first: float, times: int, longest: float) -> float:
    """Return for how many seconds a job is put off that was so `times` before.

    It doubles up to `longest`, and is up to a third shorter or longer: what was put off together
    must not come back together.
    """
    whole = min(longest, first * 2.0 ** min(times, 30))
    return whole * random.uniform(2 / 3, 4 / 3)  # noqa: S311 - nobody gains by guessing it
