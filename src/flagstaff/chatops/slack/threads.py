"""How does each rollout's thread keep up with the rollout?

Level by level, as the issue does: whatever happened, the thread is brought to what it should read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from flagstaff.chatops.slack.blocks import (
    headline,
    question,
    rollout_blocks,
    waiting,
)
from flagstaff.errors import FlagstaffError, NotFound, Unavailable
from flagstaff.integrations.notify.slack import Slack, digest, escaped
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import running, views
from flagstaff.services.chat_accounts import posted
from flagstaff.services.person import ENGINE
from flagstaff.services.services import EVERYTHING, Services
from flagstaff.services.views import RolloutView, StepView

PACE: Final = 1.2
"""Seconds between two looks: Slack takes about one message a second."""
LOOK_EVERY: Final = 60.0
"""Seconds after which all are looked at unheard: the server that posted may have ended."""
PAUSE: Final = 30.0
"""Seconds after Slack said "later"."""

log = logging.getLogger(__name__)


class RolloutThreads:
    """Keeps one thread per rollout in a channel.

    Args:
        services: where rollouts are looked at.
        slack: where they are shown.
        channel: in which channel.
        may: whether this process is the one that posts; of several servers, one does.
        pace: seconds between two looks.
    """

    def __init__(
        self,
        services: Services,
        slack: Slack,
        channel: str,
        *,
        may: Callable[[], bool],
        pace: float = PACE,
    ) -> None:
        self._services = services
        self._slack = slack
        self._channel = channel
        self._may = may
        self._pace = pace
        self._wanted: dict[int, None] = {}
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slack-threads", daemon=True)

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
        key = f"rollout:{number}"
        phase = view.summary.phase
        if posted(self._services, key) is None and (phase is Phase.PENDING or phase.finished):
            return
        address = self._services.context.address().rstrip("/")
        text, blocks = headline(view), rollout_blocks(view, address)
        root = self._slack.post_once(key, self._channel, text, blocks=blocks)
        self._slack.keep(key, text, blocks)
        self._ask(view, key, root.ts)
        if phase in {Phase.PAUSED, Phase.EXPIRED} or phase.finished:
            said = f"{text}. {escaped(view.summary.reason)}" if view.summary.reason else text
            news = f"{key}:news:{digest(f'{phase}{view.summary.reason}')[:16]}"
            self._slack.post_once(news, self._channel, said, thread=root.ts)

    def _ask(self, view: RolloutView, key: str, thread: str) -> None:
        asks = waiting(view)
        for step in view.steps:
            name = f"{key}:ask:{step.id}"
            if asks is not None and step.id == asks.id:
                text, blocks = question(view, step)
                self._slack.post_once(name, self._channel, text, blocks=blocks, thread=thread)
                self._slack.keep(name, text, blocks)
            elif posted(self._services, name) is not None:
                self._slack.keep(name, _answered(step))

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
        """Return whether Slack takes more."""
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


def _answered(step: StepView) -> str:
    title = escaped(step.title)
    if step.approved_by:
        return f"{title}: approved by {escaped(step.approved_by)}"
    return f"{title}: {step.status.value}" + (f" by {escaped(step.by)}" if step.by else "")
