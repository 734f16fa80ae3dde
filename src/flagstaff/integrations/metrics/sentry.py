"""How many people met an error with the flag on and off, as Sentry counts them?

Sentry knows of errors only, so the totals are those of another guard. What it takes in is late: it
is read up to a minute ago, at a time for which that guard's totals are known.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from flagstaff.definitions.sources import MetricSource
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.fetching import TOO_MANY, UNREAD, fetch
from flagstaff.rollouts.guard import Arm, Exposed, Kept, Measurement
from flagstaff.rollouts.query import Place, Query

OK: Final = 200
EVENTS, PEOPLE = "count()", "count_unique(user)"
LIVELY: Final = timedelta(hours=1)
"""Within so long a time the project must have sent anything at all for zero to mean none."""

MOST_EXPOSURES: Final = 200
"""Totals of the other guard that wait until Sentry has taken in the events of their time."""


class Sentry:
    """Reads people who met an error; it is kept between readings, for the totals of the past.

    Args:
        source: which organization and project.
        guard: whom it reads for.
        query: the tag that tells the sides apart, and what else an event must be.
    """

    def __init__(self, source: MetricSource, guard: str, query: Query) -> None:
        self._source, self._guard, self._query = source, guard, query
        self._exposures: deque[Exposed] = deque(maxlen=MOST_EXPOSURES)

    def note(self, exposed: Exposed | None) -> None:
        """Remember the totals of the other guard."""
        newest = self._exposures[-1].at if self._exposures else None
        if exposed is not None and (newest is None or exposed.at > newest):
            self._exposures.append(exposed)

    def measure(self, kept: Kept, latest: datetime, token: str) -> Measurement:
        """Return the counts since watching began.

        Raises:
            Unavailable: Sentry does not answer, is silent, or knows of events without people.
        """
        self.note(kept.exposed)
        until = kept.read_up_to(latest)
        known = [each for each in self._exposures if each.at <= until]
        if not known or (kept.place.at is not None and known[-1].at <= kept.place.at):
            return Measurement(
                guard=self._guard,
                treatment=kept.treatment,
                control=kept.control,
                place=kept.place,
                behind=kept.behind(kept.place.at or kept.since),
            )
        exposed = known[-1]
        on, off = (
            self._people(kept.since, exposed.at, f'{self._query.label}:"{side}"', token)
            for side in (self._query.on, self._query.off)
        )
        if not (on or off):
            self._check_alive(exposed.at, token)
        return Measurement(
            guard=self._guard,
            treatment=_arm(kept.treatment, exposed.treatment, on),
            control=_arm(kept.control, exposed.control, off),
            place=Place(at=exposed.at),
            behind=kept.behind(exposed.at),
        )

    def _people(self, since: datetime, until: datetime, which: str, token: str) -> int:
        events, people = self._count(since, until, f"{which} {self._query.statement}", token)
        if events and not people:
            raise Unavailable(
                f"Sentry ({self._source.name}) has events of nobody",
                hint="set the user in your application: sentry_sdk.set_user({'id': …})",
            )
        return people

    def _check_alive(self, until: datetime, token: str) -> None:
        events, _ = self._count(until - LIVELY, until, "", token)
        if not events:
            raise Unavailable(
                f"Sentry ({self._source.name}) has had no event at all for an hour, so none with "
                "the flag on means nothing",
                hint="send an event of your own now and then",
            )

    def _count(self, since: datetime, until: datetime, query: str, token: str) -> tuple[int, int]:
        what = f"Sentry ({self._source.name})"
        asked = [
            ("dataset", "errors"),
            ("field", EVENTS),
            ("field", PEOPLE),
            ("project", self._source.project),
            ("query", query.strip()),
            ("start", _second(since)),
            ("end", _second(until)),
            ("referrer", "api.flagstaff.guard"),
        ]
        if self._source.environment:
            asked.append(("environment", self._source.environment))
        organization = quote(self._source.organization, safe="")
        answer = fetch(
            what,
            f"{self._source.address}/api/0/organizations/{organization}/events/?{urlencode(asked)}",
            timeout=self._source.timeout,
            token=token,
        )
        if answer.status == TOO_MANY:
            raise Unavailable(f"{what} is asked too often")
        if answer.status != OK:
            detail = answer.body.get("detail") if isinstance(answer.body, dict) else ""
            raise Unavailable(f"{what} answers {answer.status}: {str(detail)[:UNREAD]}")
        return _numbers(what, answer.body)


def _arm(kept: Arm, total: int, failed: int) -> Arm:
    """Return the counts as they go on from what is kept.

    Counts of people are estimates in Sentry, so they may fall a little, and nobody can have failed
    who was not there: what is too many waits for the next reading.
    """
    grown = max(0, min(failed - kept.failed, total - kept.total))
    return Arm(total=total, failed=kept.failed + grown)


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _numbers(what: str, body: Any) -> tuple[int, int]:
    try:
        rows = body["data"]
        return (int(rows[0][EVENTS]), int(rows[0][PEOPLE])) if rows else (0, 0)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as exc:
        raise Unavailable(f"{what} answers with something unreadable") from exc
