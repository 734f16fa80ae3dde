"""How is it kept over restarts when applications asked for each flag? To the hour."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from flagstaff.errors import FlagstaffError
from flagstaff.services.lives.exposures import KEY
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry
from flagstaff.store import lives as store
from flagstaff.store import settings

FINE: Final = timedelta(hours=1)
"""How exactly it is kept; a row for every report would be a write for every report."""

log = logging.getLogger(__name__)


class Remembering:
    """Keeps what one process hears; every replica hears something else."""

    def __init__(self, services: Services, telemetry: Telemetry) -> None:
        self._services = services
        self._telemetry = telemetry
        self._kept: dict[str, datetime] = {}

    def try_to_keep(self) -> None:
        """Write down what is news; what cannot be written now is news the next time."""
        try:
            self.keep()
        except FlagstaffError as exc:
            log.warning("when flags were asked for is not kept yet: %s", exc)

    def keep(self) -> None:
        """Write down what is news by an hour or more.

        Raises:
            FlagstaffError: the database does not answer.
        """
        news = {
            name: at
            for name, at in self._telemetry.exposed().items()
            if name not in self._kept or at - self._kept[name] >= FINE
        }
        if not news:
            return
        with self._services.unit(ENGINE, write=True) as unit:
            for name, at in sorted(news.items()):
                store.note_exposure(unit.connection, name, at)
            span = settings.get(unit.connection, KEY) or []
            times = [*(datetime.fromisoformat(each) for each in span), *news.values()]
            value = [min(times).isoformat(), max(times).isoformat()]
            settings.put(unit.connection, KEY, value)
        self._kept |= news
