"""How does each rollout's thread keep up with the rollout?

Level by level, as the issue does: whatever happened, the thread is brought to what it should read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from typing import Final

from flagstaff.chatops.room import Room
from flagstaff.errors import FlagstaffError, NotFound, Unavailable
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import running, views
from flagstaff.services.chat_accounts import posted
from flagstaff.services.person import ENGINE
from flagstaff.services.services import EVERYTHING, Services
from flagstaff.services.views import RolloutView, StepView

PACE: Final = 1.2
"""Seconds between two looks: chats take about one message a second."""
LOOK_EVERY: Final = 60.0
"""Seconds after which all are looked at unheard: the server that posted may have ended."""
PAUSE: Final = 30.0
"""Seconds after the chat said "later"."""

log = logging.getLogger(__name__)


class RolloutThreads:
    """Keeps one thread per rollout in a channel.

    Args:
        services: where rollouts are looked at.
        room: where they are shown.
        prefix: before the names under which messages are remembered; each chat program has its own.
        channel: in which channel.
        may: whether this process is the one that posts; of several servers, one does.
        pace: seconds between two looks.
    """

    def __init__(
        self,
        services: Services,
        room: Room,
        channel: str,
        *,
        prefix: str = "",
        may: Callable[[], bool],
        pace: float = PACE,
    ) -> None:
        self._services = services
        self._room = room
        self._prefix = prefix
        self._channel = channel
        self._may = may
        self._pace = pace
        self._wanted: dict[int, None] = {}
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollout-threads", daemon=True)

    def start(self) -> None:
        """Begin to follow, with all rollouts that are not over."""
        self._services.listen(self._hear)
        self._hear(frozenset({EVERYTHING}))
        self._thread.start()

    def stop(self) -> None:
        """Follow no more."""
        self._over.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._services.ignore(self._hear)
            self._thread.join()

    def bring(self, number: int) -> None:
        """Bring one rollout's thread to what it should read.

        Raises:
            Unavailable: try again later.
            FlagstaffError: a person has to look.
        """
        view = self._services.ask(lambda unit: views.rollout(unit, number), ENGINE)
        key = f"{self._prefix}rollout:{number}"
        phase = view.summary.phase
        if posted(self._services, key) is None and (phase is Phase.PENDING or phase.finished):
            return
        address = self._services.context.address().rstrip("/")
        text, parts = self._room.headline(view, address)
        root = self._room.show_once(key, self._channel, text, parts)
        self._room.show(key, text, parts)
        self._ask(view, key, root.ts)
        if phase in {Phase.PAUSED, Phase.EXPIRED} or phase.finished:
            why = self._room.escaped(view.summary.reason)
            said = f"{text}. {why}" if why else text
            news = f"{key}:news:{_digest(f'{phase}{view.summary.reason}')}"
            self._room.show_once(news, self._channel, said, thread=root.ts)

    def _ask(self, view: RolloutView, key: str, thread: str) -> None:
        asks = waiting(view)
        for step in view.steps:
            name = f"{key}:ask:{step.id}"
            if asks is not None and step.id == asks.id:
                text, parts = self._room.question(view, step)
                self._room.show_once(name, self._channel, text, parts, thread=thread)
                self._room.show(name, text, parts)
            elif posted(self._services, name) is not None:
                self._room.show(name, self._room.escaped(_answered(step)))

    def _hear(self, names: frozenset[str]) -> None:
        numbers = [
            int(number)
            for kind, _, number in (each.partition(":") for each in names)
            if kind in {"rollout", "readings"} and number.isdigit()
        ]
        with self._changed:
            self._wanted.update(dict.fromkeys(numbers))
            if EVERYTHING in names:
                self._wanted[0] = None
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._over.is_set(), LOOK_EVERY)
                if self._over.is_set():
                    return
                number = next(iter(self._wanted), 0)
                self._wanted.pop(number, None)
            self._over.wait(self._pace if self._look(number) else PAUSE)

    def _look(self, number: int) -> bool:
        """Return whether the chat takes more."""
        if not self._may():
            return True
        try:
            if number:
                self.bring(number)
            else:
                found = self._services.ask(running.active_numbers, ENGINE)
                with self._changed:
                    self._wanted.update(dict.fromkeys(found))
        except NotFound:
            return True
        except Unavailable as error:
            log.warning("the thread of rollout %s has to wait: %s", number, error)
            with self._changed:
                self._wanted[number] = None
            return False
        except FlagstaffError as error:
            log.warning("the thread of rollout %s does not follow: %s", number, error)
        except Exception:
            log.exception("the thread of rollout %s met a fault", number)
        return True


def waiting(view: RolloutView) -> StepView | None:
    """Return the step that waits for a person who has not answered yet, if one does."""
    step = view.summary.step
    if step is None or view.summary.phase is not Phase.WAITING or step.approved_by:
        return None
    return step if step.status is StepStatus.WAITING else None


def _answered(step: StepView) -> str:
    if step.approved_by:
        return f"{step.title}: approved by {step.approved_by}"
    return f"{step.title}: {step.status.value}" + (f" by {step.by}" if step.by else "")


def _digest(text: str) -> str:
    return hashlib.sha256(json.dumps([text, []], sort_keys=True).encode()).hexdigest()[:16]
