"""How many failed of how many, as any web address tells it in JSON?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flagstaff.definitions.guard_query import COHORT, MILLISECONDS
from flagstaff.definitions.sources import MetricSource
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.counters import Counter, begun, grown
from flagstaff.integrations.metrics.fetching import fetch
from flagstaff.rollouts.guard import Arm, Exposed, Kept, Measurement
from flagstaff.rollouts.query import Place, Query

SINCE, UNTIL = "{since}", "{until}"
"""Where the times go in an address that counts between two of them."""

OK = range(200, 300)


class HttpJson:
    """Reads two numbers for each side from a JSON document.

    An address with `{since}` says what happened from then on, up to `{until}`, in seconds since
    1970. Without, the numbers are counters that only grow, or begin at zero again.

    Args:
        source: where it is.
        guard: whom it reads for.
        query: the paths to the numbers.
    """

    def __init__(self, source: MetricSource, guard: str, query: Query) -> None:
        self._source, self._guard, self._query = source, guard, query

    def note(self, exposed: Exposed | None) -> None:
        """Take no note of other guards."""

    def measure(self, kept: Kept, latest: datetime, token: str) -> Measurement:
        """Return the counts since watching began.

        Raises:
            Unavailable: there is no answer, or it lacks the numbers.
        """
        if SINCE in self._source.address:
            at = kept.read_up_to(latest)
            found = {(each.on, each.bad): each.value for each in self._counters(kept, at, token)}
            return Measurement(
                guard=self._guard,
                treatment=Arm(total=int(found[True, False]), failed=int(found[True, True])),
                control=Arm(total=int(found[False, False]), failed=int(found[False, True])),
                place=Place(at=at),
                behind=kept.behind(at),
            )
        found_now = list(self._counters(kept, latest, token))
        if kept.place.at is None:
            return begun(self._guard, found_now, latest)
        return grown(self._guard, found_now, kept, latest, self._source.max_gap)

    def _counters(self, kept: Kept, at: datetime, token: str) -> Iterator[Counter]:
        what = f"the source {self._source.name}"
        address = self._source.address.replace(SINCE, _seconds(kept.since))
        url = address.replace(UNTIL, _seconds(at))
        answer = fetch(what, url, timeout=self._source.timeout, token=token)
        if answer.status not in OK:
            raise Unavailable(f"{what} answers {answer.status}")
        for on, word in ((True, self._query.on), (False, self._query.off)):
            bad_path = self._query.bad.replace(MILLISECONDS, f"{1000 * self._query.slower_than:g}")
            for bad, path in ((False, self._query.total), (True, bad_path)):
                yield Counter(on=on, bad=bad, value=_number(what, answer.body, path, word))


def _seconds(moment: datetime) -> str:
    return quote(f"{moment.astimezone(UTC).timestamp():.3f}")


def _number(what: str, body: Any, path: str, word: str) -> float:
    """Return the number under a path of keys, and of places in lists."""
    full = path.replace(COHORT, word)
    found = body
    for part in full.split("."):
        if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, dict) and part in found:
            found = found[part]
        else:
            raise Unavailable(f"{what} says nothing under {full}")
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found // 1:
        raise Unavailable(f"{what} says {str(found)[:40]!r} under {full}, which is no whole number")
    return float(found)
