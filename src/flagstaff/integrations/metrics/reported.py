"""How did it go with a flag on and off, as the applications' own SDK reports it?

Each process reports what it counted since it began, so a report that is lost or comes twice changes
nothing. A process that is older than the last reading and was unknown then is counted from now on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.counters import Counter, begun, grown
from flagstaff.rollouts.guard import Kept, Measurement
from flagstaff.rollouts.query import Base, Place, Query
from flagstaff.sdk.outcomes import JOBS, RETRIED, SLOW_JOBS, WAITS, slow_kind
from flagstaff.services.telemetry import Outcome, Telemetry

PRODUCTION: Final = "production"
SILENT: Final = timedelta(seconds=60)
MAX_GAP: Final = timedelta(minutes=5)


class Reported:
    """Reads what applications have reported to this server.

    Args:
        telemetry: keeps it.
        guard: whom it reads for.
        query: which flag, and what counts as bad.
    """

    def __init__(self, telemetry: Telemetry, guard: str, query: Query) -> None:
        self._telemetry, self._guard, self._query = telemetry, guard, query

    def measure(self, kept: Kept, latest: datetime, secret: str) -> Measurement:
        """Return the counts since watching began.

        Raises:
            Unavailable: nobody has reported lately.
        """
        del secret
        bound = self._query.slower_than
        kind = slow_kind(self._query.bad, bound) if bound else self._query.bad
        found = [
            each
            for each in self._telemetry.outcomes(self._query.flag, kind)
            if each.environment == PRODUCTION
        ]
        if not any(latest - each.heard <= SILENT for each in found):
            what = f"how many {kind}" if bound else "outcomes"
            raise Unavailable(
                f"no application has reported {what} with {self._query.flag} in production for "
                f"{SILENT.total_seconds():g} s",
                hint=_bounds_hint(self._query.bad, bound) if bound else _hint(self._query.bad),
            )
        if kept.place.at is None:
            return begun(self._guard, (each for one in found for each in _counters(one)), latest)
        known = {each.key for each in kept.place.bases}
        strangers = [
            Base(key=each.key, value=each.value, at=latest)
            for one in found
            if one.began < kept.place.at
            for each in _counters(one)
            if each.key not in known
        ]
        bases = (*kept.place.bases, *strangers)
        kept = replace(kept, place=Place(at=kept.place.at, bases=bases))
        counters = (each for one in found for each in _counters(one))
        return grown(self._guard, counters, kept, latest, MAX_GAP)


def _hint(what: str) -> str:
    if what in {JOBS, RETRIED}:
        return "workers count what ends under the names of `renames.declare(…)`"
    return "count with flags.outcome(…) or OutcomesMiddleware"


def _bounds_hint(what: str, bound: float) -> str:
    if what in {JOBS, WAITS}:
        known = ", ".join(f"{each:g} s" for each in SLOW_JOBS)
        return f"workers count the jobs that {'take' if what == JOBS else 'wait'} over {known}"
    return f"count them with OutcomesMiddleware(…, slower_than=[{bound:g}])"


def _counters(outcome: Outcome) -> Iterator[Counter]:
    labels = (("instance", outcome.instance),)
    for on, bad, value in (
        (True, False, outcome.on),
        (True, True, outcome.on_bad),
        (False, False, outcome.off),
        (False, True, outcome.off_bad),
    ):
        yield Counter(on=on, bad=bad, labels=labels, value=value)
