"""What does the outside say to a check, asked so that nobody has to wait for it?

A command or a web address may take minutes. It is asked in a thread of its own, and whoever looks
gets what was said last.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flagstaff.engine.world import World
from flagstaff.errors import FlagstaffError
from flagstaff.rollouts.checks import AskedOutside
from flagstaff.rollouts.event import Answer
from flagstaff.services.running import one_line

EVERY = 30.0
"""Real seconds after an answer before the same is asked again."""

MOST = 8
"""Questions at one time; others wait for their turn."""

FORGOTTEN = 600.0
"""Real seconds after which an answer that nobody wants is dropped."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Inquiry:
    asked: AskedOutside | None = None
    answer: Answer | None = None
    answered_at: float = 0.0
    wanted_at: float = 0.0
    thread: threading.Thread | None = None


class Inquiries:
    """Asks, and remembers.

    Args:
        world: whom it asks.
        wake: called with the number of the rollout when there is an answer.
        every: real seconds between two questions of the same check.
    """

    def __init__(self, world: World, wake: Callable[[int], None], *, every: float = EVERY) -> None:
        self._world = world
        self._wake = wake
        self._every = every
        self._known: dict[str, _Inquiry] = {}
        self._lock = threading.Lock()

    def answer(self, key: str, check: AskedOutside, *, number: int, flag: str) -> Answer | None:
        """Return what was said last under this key, and ask again if that is long ago.

        An old yes counts no more, so there is none until it is said again; nor does what was said
        to another question, which the step was before its plan was edited.
        """
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            inquiry = self._known.setdefault(key, _Inquiry())
            inquiry.wanted_at = now
            last = inquiry.answer if inquiry.asked == check else None
            if last is not None and now - inquiry.answered_at < self._every:
                return last
            if inquiry.thread is None and self._asking() < MOST:
                inquiry.thread = threading.Thread(
                    target=self._ask,
                    args=(key, check, number, flag),
                    name="flagstaff-check",
                    daemon=True,
                )
                inquiry.thread.start()
        return None if last is None or last.yes else last

    def join(self, seconds: float) -> None:
        """Wait until every question that is being asked has its answer, or the time is up."""
        end = time.monotonic() + seconds
        with self._lock:
            threads = [each.thread for each in self._known.values() if each.thread]
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _ask(self, key: str, check: AskedOutside, number: int, flag: str) -> None:
        try:
            answer = self._world.check(check, key=key, flag=flag)
        except FlagstaffError as exc:
            answer = Answer(yes=False, text=one_line(exc))
        except Exception as exc:
            log.exception("the check %s has a fault", key)
            answer = Answer(yes=False, text=f"the check has a fault: {type(exc).__name__}")
        with self._lock:
            inquiry = self._known.setdefault(key, _Inquiry(wanted_at=time.monotonic()))
            inquiry.asked, inquiry.answer, inquiry.answered_at = check, answer, time.monotonic()
            inquiry.thread = None
        self._wake(number)

    def _asking(self) -> int:
        return sum(each.thread is not None for each in self._known.values())

    def _forget(self, now: float) -> None:
        old = [
            key
            for key, each in self._known.items()
            if each.thread is None and now - each.wanted_at > FORGOTTEN
        ]
        for key in old:
            del self._known[key]
