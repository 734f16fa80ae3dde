"""Which source does a guard ask, and when is it asked again?

Looks come more often than metrics change. Between two readings the last one is said again: its
counts are absolute, so it adds nothing that is not new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, assert_never

from flagstaff.definitions import Project
from flagstaff.definitions.sources import BUILT_IN, MetricSource, SourceKind
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.integrations.metrics.fetching import secret
from flagstaff.integrations.metrics.reported import Reported
from flagstaff.rollouts.guard import Exposed, Guard, Kept, Measurement
from flagstaff.rollouts.query import Query
from flagstaff.services.telemetry import Telemetry

SOONEST: Final = timedelta(seconds=2)
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=5), timedelta(seconds=30)
"""In real time: between two readings, and after the first and the last of several errors."""

SLOW: Final = timedelta(seconds=60)
"""Between two readings of what counts the requests of those who ask; a third of it after errors."""

MOST: Final = 1_000
"""Readings that are remembered."""


class Reader(Protocol):
    """Reads one guard's counts from one source."""

    def note(self, exposed: Exposed | None) -> None:
        """Take note of another guard's totals, at every look."""

    def measure(self, kept: Kept, latest: datetime, secret: str) -> Measurement:
        """Return the counts since watching began, read up to `latest` at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """The last reading: what it was read on top of, and from when on it is read again."""

    kept: Kept
    measured: Measurement
    until: datetime
    errors: int = 0

    def still_holds(self, kept: Kept, now: datetime) -> bool:
        """Return whether it may be said again, for the evidence stands where it did or took it."""
        if now >= self.until or kept.changes != self.kept.changes:
            return False
        return any(kept.place == each for each in (self.kept.place, self.measured.place))


class Sources:
    """Asks the sources of one project.

    Args:
        root: the project's folder, in which secrets are found.
        project: its settings.
        telemetry: what applications report to this server; none where it takes no reports.
        now: real time.
    """

    def __init__(
        self,
        root: Path,
        project: Project,
        telemetry: Telemetry | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._root, self._project, self._now = root, project, now
        self._telemetry = telemetry or Telemetry()
        self._last: dict[tuple[Guard, datetime], _Last] = {}
        self._readers: dict[tuple[Guard, datetime], Reader] = {}

    def measure(self, guard: Guard, query: Query, kept: Kept) -> Measurement:
        """Return what a guard has seen; what goes wrong is said in its `error`."""
        now, key = self._now(), (guard, kept.since)
        last = self._last.pop(key, None)
        reader = self._readers.get(key)
        if reader is not None:
            reader.note(kept.exposed)
        if last is None or not last.still_holds(kept, now):
            last = self._read(guard, query, kept, now, last.errors if last else 0)
        self._last[key] = last
        while len(self._last) > MOST:
            oldest = next(iter(self._last))
            del self._last[oldest]
            self._readers.pop(oldest, None)
        return last.measured

    def _read(self, guard: Guard, query: Query, kept: Kept, now: datetime, errors: int) -> _Last:
        try:
            measured = self._measured(guard, query, kept, now)
        except FlagstaffError as exc:
            wait = min(FIRST_BACK_OFF * 2 ** min(errors, 10), LONGEST_BACK_OFF)
            wait = max(wait, self._soonest(query) / 3)
            hint = f" ({exc.hint})" if exc.hint else ""
            failed = Measurement(
                guard=guard.name, error=f"{exc.message}{hint}", behind=_behind(kept, now)
            )
            return _Last(kept=kept, measured=failed, until=now + wait, errors=errors + 1)
        return _Last(kept=kept, measured=measured, until=now + self._soonest(query))

    def _soonest(self, query: Query) -> timedelta:
        source = self._project.sources.get(query.source)
        return SLOW if source is not None and source.kind is SourceKind.SENTRY else SOONEST

    def _measured(self, guard: Guard, query: Query, kept: Kept, now: datetime) -> Measurement:
        if query.source == BUILT_IN:
            return Reported(self._telemetry, guard.name, query).measure(kept, now, "")
        source = self._project.sources.get(query.source)
        if source is None:
            raise Unavailable(
                f"there is no source {query.source} in flagstaff.yml any more",
                hint="put it back under `sources`",
            )
        key = (guard, kept.since)
        reader = self._readers.get(key) or reader_of(source, guard.name, query)
        self._readers[key] = reader
        reader.note(kept.exposed)
        latest = now - source.lag
        if latest <= kept.since:
            return Measurement(guard=guard.name, behind=kept.behind(kept.since))
        known = secret(self._root, source.token_file or source.password_file)
        return reader.measure(kept, latest, known)


def _behind(kept: Kept, now: datetime) -> int:
    """Return which stage a failed reading is missing in: the one that would have been read."""
    return kept.behind(kept.read_up_to(now)) if kept.place.at else 0


def reader_of(source: MetricSource, guard: str, query: Query) -> Reader:
    """Return what reads a guard from its source.

    Raises:
        Unavailable: the source is this server itself.
    """
    # What is not asked for is not loaded.
    match source.kind:
        case SourceKind.PROMETHEUS:
            from flagstaff.integrations.metrics.prometheus import Prometheus  # noqa: PLC0415

            return Prometheus(source, guard, query)
        case SourceKind.HTTP:
            from flagstaff.integrations.metrics.http_json import HttpJson  # noqa: PLC0415

            return HttpJson(source, guard, query)
        case SourceKind.SQL:
            from flagstaff.integrations.metrics.sql import Sql  # noqa: PLC0415

            return Sql(source, guard, query)
        case SourceKind.SENTRY:
            from flagstaff.integrations.metrics.sentry import Sentry  # noqa: PLC0415

            return Sentry(source, guard, query)
        case SourceKind.FLAGSTAFF:
            raise Unavailable(f"{source.name} has a reader of its own")
        case _:
            assert_never(source.kind)
