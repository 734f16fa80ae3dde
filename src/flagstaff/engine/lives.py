"""When are teams reminded of their flags, and how does a reminder leave for the outside?"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from flagstaff.engine.outgoing import FIRST_BACK_OFF, TRIES
from flagstaff.engine.world import World
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.services.lives import reminding
from flagstaff.services.lives.reminding import Notice
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services

LOOK_EVERY: Final = timedelta(hours=1)
"""Flags live for months; the first look is when the engine starts."""

ALONE: Final = 30.0
"""Real seconds in which nobody else tries the same; longer than any chat may take to answer."""

log = logging.getLogger(__name__)


class Lives:
    """Reminds teams of flags that are due; holds nothing that a restart could lose."""

    def __init__(self, services: Services, world: World) -> None:
        self._services = services
        self._world = world
        self._looked_at: datetime | None = None

    def look(self) -> None:
        """Put into the outbox what it is time for, once an hour."""
        now = self._services.clock.now()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return
        reminding.meet_flags(self._services)
        reminding.remind(self._services)
        self._looked_at = now

    def waiting(self) -> list[Notice]:
        """Return the reminders that may be tried now."""
        return self._services.ask(reminding.due_notices, ENGINE)

    def perform(self, notice: Notice) -> None:
        """Say one reminder unless another replica does, and note that it was said."""
        until = self._services.clock.after(ALONE)
        with self._services.unit(ENGINE, write=True) as unit:
            if not reminding.take_notice(unit, notice, until):
                return
        try:
            self._world.announce(notice.post)
        except FlagstaffError as exc:
            self._failed(notice, exc)
            return
        except Exception as exc:
            log.exception("%s met a fault", notice.post.key)
            self._failed(notice, FlagstaffError(f"a fault in Flagstaff: {type(exc).__name__}"))
            return
        with self._services.unit(ENGINE, write=True) as unit:
            reminding.finish_notice(unit, notice)

    def _failed(self, notice: Notice, error: FlagstaffError) -> None:
        again_at = None
        if isinstance(error, Unavailable) and notice.attempts + 1 < TRIES:
            again_at = self._services.clock.after(FIRST_BACK_OFF * 2**notice.attempts)
        log.warning("%s: %s", notice.post.key, error)
        with self._services.unit(ENGINE, write=True) as unit:
            reminding.fail_notice(unit, notice, error.message, again_at=again_at)
