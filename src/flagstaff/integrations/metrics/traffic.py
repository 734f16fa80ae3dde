"""How much has there been to count lately, as a guard's source tells it before a rollout begins?

What a guard would have read of the last day, both sides together: the flag is off then, so almost
all of it is on one. It is an estimate to plan with, never evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from flagstaff.definitions import Project
from flagstaff.definitions.sources import BUILT_IN, MetricSource, SourceKind
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.integrations.metrics.fetching import secret
from flagstaff.integrations.metrics.http_json import SINCE
from flagstaff.integrations.metrics.job_logs import BASELINE, JobLogs
from flagstaff.integrations.metrics.sources import reader_of
from flagstaff.rollouts.guard import Arm, Exposed, Guard, Kept, Measurement
from flagstaff.rollouts.query import Query

PIECE: Final = timedelta(hours=1)
"""Counters are compared so far apart: what a process counts between the last time and its end is
lost, and one that began anew is taken to have counted from zero."""

NOTHING: Final = Arm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What was counted, in how long a time; `error` says why nothing is known."""

    seen: Arm = NOTHING
    over: timedelta = BASELINE
    error: str = ""


class Reading(Protocol):
    """What reads one guard's counts, as far as is needed here."""

    def measure(self, kept: Kept, latest: datetime, secret: str) -> Measurement:
        """Return the counts since watching began, read up to `latest` at most."""


class Lately:
    """Asks the sources of one project what there was in the last day.

    Args:
        root: the project's folder, in which logs and secrets are found.
        project: its settings.
        guards: all of the plan's, since one may take its totals from another.
        now: real time.
    """

    def __init__(
        self, root: Path, project: Project, guards: tuple[Guard, ...], now: datetime
    ) -> None:
        self._root, self._project, self._now = root, project, now
        self._guards = {each.name: each for each in guards}

    def traffic(self, guard: Guard) -> Traffic:
        """Return what there was; what goes wrong is said in its `error`."""
        if guard.query is None:
            measured = JobLogs(self._root, guard, self._now).measure()
            return Traffic(seen=measured.baseline, error=measured.error)
        try:
            return self._asked(guard, guard.query)
        except FlagstaffError as exc:
            return Traffic(error=f"{exc.message} ({exc.hint})" if exc.hint else exc.message)

    def _asked(self, guard: Guard, query: Query) -> Traffic:
        source = self._project.sources.get(query.source)
        if query.source == BUILT_IN or source is None:
            return Traffic(
                error="what applications report is known to the server alone, which is not asked"
                if query.source == BUILT_IN
                else f"there is no source {query.source} in flagstaff.yml"
            )
        latest = self._now - source.lag
        since = latest - BASELINE
        known = secret(self._root, source.token_file or source.password_file)
        if source.kind is SourceKind.PROMETHEUS:
            reader = reader_of(replace(source, max_gap=2 * BASELINE), guard.name, query)
            return _piece_by_piece(reader, since, latest, known)
        if source.kind is SourceKind.HTTP and SINCE not in source.address:
            return Traffic(
                error=f"{source.name} tells counters as they stand, and nothing of the past"
            )
        exposed = self._exposed(query, source, latest)
        kept = Kept(since=since, exposed=exposed)
        measured = reader_of(source, guard.name, query).measure(kept, latest, known)
        seen = measured.treatment + measured.control
        if exposed is not None:
            seen = replace(seen, total=exposed.control)  # of both sides, which are told apart late
        return Traffic(seen=seen)

    def _exposed(self, query: Query, source: MetricSource, latest: datetime) -> Exposed | None:
        """Return the totals of the guard that a source needs which knows of failures only."""
        if source.kind is not SourceKind.SENTRY:
            return None
        other = self._guards.get(query.exposure)
        if other is None:
            raise Unavailable(
                f"it takes its totals from {query.exposure}, which is no guard of this plan",
                hint=f"add {query.exposure} to the plan's `guards`",
            )
        found = self.traffic(other)
        if found.error or not found.seen.total:
            why = found.error or "nothing was counted"
            raise Unavailable(f"{query.exposure}, of which it takes the totals: {why}")
        whole = round(found.seen.total * (BASELINE / found.over))
        return Exposed(treatment=whole, control=whole, at=latest)


def _piece_by_piece(reader: Reading, since: datetime, latest: datetime, known: str) -> Traffic:
    """Return how much counters grew, as far back as they were there at all."""
    reader.measure(Kept(since=latest - PIECE), latest, known)  # or the reason is the same all along
    began, kept, last = since, Kept(since=since), None
    for at in _times(since + PIECE, latest):
        try:
            measured = reader.measure(kept, at, known)
        except Unavailable as exc:
            last = exc
            if kept.place.at is None:
                began, kept = at, Kept(since=at)
            continue
        kept = replace(
            kept,
            treatment=measured.treatment,
            control=measured.control,
            place=measured.place or kept.place,
        )
    if last is not None and kept.place.at is None:
        raise last
    return Traffic(seen=kept.treatment + kept.control, over=latest - began)


def _times(first: datetime, last: datetime) -> Iterator[datetime]:
    at = first
    while at < last:
        yield at
        at += PIECE
    yield last
