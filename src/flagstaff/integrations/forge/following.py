"""How do issues on forges keep up with their rollouts, and rollouts with what people mark there?

One thread, beside the engine's: a forge that is slow or away delays its issues and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from flagstaff.definitions.forges import Forge, IssueAddress
from flagstaff.errors import FlagstaffError, NotFound, Unavailable
from flagstaff.integrations.forge.bringing import Bringing
from flagstaff.integrations.forge.clients import Forges
from flagstaff.integrations.forge.hooks import Heard
from flagstaff.services import forge_issues, running
from flagstaff.services.person import ENGINE
from flagstaff.services.services import EVERYTHING, Services

LOOK: Final = 1.0
"""Seconds after which it looks whose turn it is, unheard."""

FIRST_PAUSE: Final = 5.0
SURE: Final = 2
LONGEST_PAUSE: Final = 300.0
OVERLAP: Final = timedelta(minutes=5)
"""By how much a forge's clock may be behind ours."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Trouble:
    """A forge or an issue that gives trouble: until when, and for how long, it is left alone."""

    until: float
    pause: float


class IssueFollower:
    """Follows all issues on forges.

    Args:
        services: where rollouts are looked at and decided.
        forges: where their issues are.
        may: whether this process is the one that writes; of several servers, one does.
        first_pause: seconds for which a forge in trouble is left alone at first.
    """

    def __init__(
        self,
        services: Services,
        forges: Forges,
        *,
        may: Callable[[], bool],
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._services = services
        self._forges = forges
        self._may = may
        self._bringing = Bringing(services)
        self._first_pause = first_pause
        self._wanted: dict[int, None] = {}
        self._behind: dict[str, set[int]] = {}
        self._heard: deque[Heard] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._is_the_one = False
        self._troubles: dict[str, Trouble] = {}
        self._said: dict[str, str] = {}
        self._polled: dict[str, float] = {}
        self._versions: dict[str, tuple[str, int]] = {}
        self._thread = threading.Thread(target=self._run, name="flagstaff-forges", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._services.listen(self._hear_names)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is at hand, and follow no more."""
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._thread.is_alive():
            self._services.ignore(self._hear_names)
            self._thread.join()

    def hear(self, heard: Heard) -> None:
        """Take what a webhook has told; any server may, whichever one runs the rollouts."""
        with self._changed:
            self._heard.append(heard)
            self._changed.notify()

    def _hear_names(self, names: frozenset[str]) -> None:
        numbers = [
            int(number)
            for kind, _, number in (each.partition(":") for each in names)
            if kind in {"rollout", "issue"} and number.isdigit()
        ]
        if numbers or EVERYTHING in names:
            with self._changed:
                self._wanted.update(dict.fromkeys(numbers))
                self._is_the_one &= EVERYTHING not in names
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over or self._heard or self._wanted, LOOK)
                if self._over:
                    return
                heard = list(self._heard)
                self._heard.clear()
            for each in heard:
                forge = each.address.forge
                self._guarded(forge, f"a webhook of {each.address}", partial(self._take, each))
            with self._complaining():
                self._look()

    def _look(self) -> None:
        """Bring what is wanted up to date, and ask forges whose turn it is for changes."""
        if not self._may():
            self._is_the_one = False
            with self._changed:
                self._wanted.clear()
            return
        if not self._is_the_one:
            self._is_the_one = True
            found = self._services.ask(running.recent_numbers, ENGINE)
            found += self._services.ask(running.active_numbers, ENGINE)
            self._want(found)
        for name in [each for each in self._behind if not self._is_left_alone(each)]:
            self._want(self._behind.pop(name))
        with self._changed:
            wanted, self._wanted = sorted(self._wanted), {}
        for number in wanted:
            if not self._may():  # it may have become another's meanwhile
                self._is_the_one = False
                return
            self._bring(number)
        self._poll()

    def _want(self, numbers: Iterable[int]) -> None:
        with self._changed:
            self._wanted.update(dict.fromkeys(numbers))

    def _bring(self, number: int) -> None:
        try:
            found = self._services.ask(partial(forge_issues.followed, number=number), ENGINE)
        except NotFound:
            return
        address = self._forges.at(found.record.issue_path) if found.own else None
        if address is None or found.record.rollout.started_at is None:
            return
        for name in (address.forge.name, address.url):
            if self._is_left_alone(name):
                self._behind.setdefault(name, set()).add(number)
                return

        def work() -> None:
            with self._forges.client(address.forge) as client:
                issue = self._bringing.bring(client, address, number)
            self._see(address.url, issue.version)

        name = self._guarded(address.forge, f"the issue {address}", work, url=address.url)
        if name:
            self._behind.setdefault(name, set()).add(number)

    def _take(self, heard: Heard) -> None:
        """Take the marks of a webhook, then have the issue looked at, here or where that is."""
        record = self._services.ask(
            partial(forge_issues.rollout_of, address=heard.address.url), ENGINE
        )
        if record is None:
            return
        with self._forges.client(heard.address.forge) as client:
            for marked in heard.marked(record.rollout):
                self._bringing.take(client, heard.address, record.rollout.id, marked)
        with self._services.unit(ENGINE, write=True) as unit:
            unit.changed.add(f"issue:{record.rollout.id}")

    def _poll(self) -> None:
        for forge in self._forges.forges:
            now = time.monotonic()
            last = self._polled.setdefault(forge.name, now)
            if now - last >= forge.poll.total_seconds() and not self._is_left_alone(forge.name):
                since = datetime.now(UTC) - timedelta(seconds=now - last) - OVERLAP
                asked = partial(self._ask, forge, since)
                if not self._guarded(forge, f"the forge {forge.name}", asked):
                    self._polled[forge.name] = now

    def _ask(self, forge: Forge, since: datetime) -> None:
        """Have those issues looked at that have changed on a forge, but not by us."""
        watched: dict[str, dict[int, int]] = {}
        for number in self._services.ask(running.active_numbers, ENGINE):
            found = self._services.ask(partial(forge_issues.followed, number=number), ENGINE)
            address = self._forges.at(found.record.issue_path) if found.own else None
            if address is not None and address.forge == forge:
                watched.setdefault(address.project, {})[address.number] = number
        for project, numbers in watched.items():
            with self._forges.client(forge) as client:
                changed = client.changed(project, since)
            for issue, number in numbers.items():
                url = IssueAddress(forge=forge, project=project, number=issue).url
                if issue in changed and (changed[issue], SURE) != self._versions.get(url):
                    self._want([number])

    def _see(self, url: str, version: str) -> None:
        """Remember as what version an issue was read, and whether twice.

        A forge may count in whole seconds, so that a change in the second of our reading has the
        same version.
        """
        before, times = self._versions.get(url, ("", 0))
        self._versions[url] = (version, min(times + 1, SURE) if before == version else 1)

    def _is_left_alone(self, name: str) -> bool:
        trouble = self._troubles.get(name)
        return trouble is not None and trouble.until > time.monotonic()

    def _guarded(self, forge: Forge, what: str, work: Callable[[], None], *, url: str = "") -> str:
        """Do something with a forge; what fails is said once, and left alone for a while.

        Returns:
            What is left alone: the forge when it is away, else the issue; empty if all went well.
        """
        try:
            work()
        except Unavailable as exc:
            self._say(what, exc)
            return self._leave_alone(forge.name, self._pause_of(forge))
        except FlagstaffError as exc:
            self._say(what, exc)
            return self._leave_alone(url or forge.name)
        except Exception as exc:
            if self._said.get(what) != repr(exc):
                log.exception("%s met a fault, the others go on", what)
            self._said[what] = repr(exc)
            return self._leave_alone(url or forge.name)
        self._troubles.pop(forge.name, None)
        self._troubles.pop(url, None)
        if self._said.pop(what, None) is not None:
            log.warning("%s: well again", what)
        return ""

    def _pause_of(self, forge: Forge) -> float:
        """Return for how long the forge asked to be left alone."""
        with suppress(FlagstaffError), self._forges.client(forge) as client:
            return client.pause
        return 0.0

    def _leave_alone(self, name: str, asked: float = 0.0) -> str:
        before = self._troubles.get(name)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before else self._first_pause
        until = time.monotonic() + max(pause, asked)
        self._troubles[name] = Trouble(until=until, pause=pause)
        return name

    def _say(self, what: str, error: FlagstaffError) -> None:
        if self._said.get(what) != error.message:
            log.warning("%s: %s (the rollout goes on, the issue catches up)", what, error)
        self._said[what] = error.message

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        """Keep what goes wrong with ourselves, such as a database that is away, from ending us."""
        what = "following the issues on forges"
        try:
            yield
        except FlagstaffError as exc:
            self._say(what, exc)
            self._is_the_one = False
        except Exception:
            log.exception("%s met a fault", what)
            self._is_the_one = False
        else:
            self._said.pop(what, None)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._over, LOOK)
