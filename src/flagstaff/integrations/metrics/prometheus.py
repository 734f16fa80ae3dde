"""How many failed of how many, as Prometheus knows the counters?

The counters themselves are asked for, as they stood a moment ago, and compared here. `rate()` and
`increase()` estimate: their windows overlap and reach beyond what was measured, which makes false
alarms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flagstaff.definitions.sources import MetricSource
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.counters import Counter, begun, grown
from flagstaff.integrations.metrics.fetching import UNREAD, fetch
from flagstaff.integrations.metrics.histograms import slow_calls, with_edges
from flagstaff.rollouts.guard import Exposed, Kept, Measurement
from flagstaff.rollouts.query import Query

STALE: Final = timedelta(minutes=2)
"""Prometheus repeats a value for five minutes after the last one came."""

_IN_TURN: Final = (
    "(resets({counter}[10m]) > 2) and (resets({counter}[2m]) > 0) "
    "and (min_over_time({counter}[2m]) > max_over_time({counter}[2m]) / 2)"
)
"""What fell, and not to anything near zero, as after a restart."""

_SELECTOR: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*\s*(\{[^{}]*\})?|\{[^{}]*\}")


class Prometheus:
    """Reads a pair of counters, failures and everything, or the buckets of a histogram.

    Args:
        source: how it is reached.
        guard: whom it reads for.
        query: the counters, and the label that tells the sides apart.
    """

    def __init__(self, source: MetricSource, guard: str, query: Query) -> None:
        self._source, self._guard, self._query = source, guard, query

    def note(self, exposed: Exposed | None) -> None:
        """Take no note of other guards."""

    def measure(self, kept: Kept, latest: datetime, token: str) -> Measurement:
        """Return the counts since watching began.

        Raises:
            Unavailable: there is no answer, or it is partial, stale or no count.
        """
        if kept.place.at is None:
            place = begun(self._guard, self._counters(kept.since, token), kept.since).place
            kept = Kept(since=kept.since, changes=kept.changes, place=place or kept.place)
        at = kept.read_up_to(latest)
        found = list(self._counters(at, token))
        if not any(not each.bad for each in found):
            raise Unavailable(f"{self._query.total} has no series", hint="is it scraped?")
        self._check_age(at, token)
        self._check_one_process(at, token)
        return grown(self._guard, found, kept, at, self._source.max_gap)

    def _counters(self, at: datetime, token: str) -> Iterator[Counter]:
        if bound := self._query.slower_than:
            expression = with_edges(self._query.total, bound)
            buckets = self._sides(expression, at, token)
            for each in slow_calls(f"Prometheus ({self._source.name})", buckets, bound):
                yield self._counter(each.labels, each.total, bad=False)
                yield self._counter(each.labels, each.slow, bad=True)
            return
        for bad, expression in ((False, self._query.total), (True, self._query.bad)):
            for labels, value in self._sides(expression, at, token):
                yield self._counter(labels, value, bad=bad)

    def _counter(self, labels: Mapping[str, str], value: float, *, bad: bool) -> Counter:
        on = labels[self._query.label] == self._query.on
        return Counter(on=on, bad=bad, labels=tuple(sorted(labels.items())), value=value)

    def _sides(
        self, expression: str, at: datetime, token: str
    ) -> Iterator[tuple[Mapping[str, str], float]]:
        """Yield the series of both sides, with their labels."""
        series = self._ask(expression, at, token)
        labelled = [each for each in series if self._query.label in each["metric"]]
        if series and not labelled:
            raise Unavailable(
                f"no series of {expression} has the label {self._query.label}",
                hint="name the label that tells the sides apart: `cohort: {label: …}`",
            )
        for each in labelled:
            if each["metric"][self._query.label] in {self._query.on, self._query.off}:
                yield each["metric"], float(each["value"][1])

    def _check_age(self, at: datetime, token: str) -> None:
        """Complain about counters that stand still because nobody scrapes them any more."""
        if not _SELECTOR.fullmatch(self._query.total.strip()):
            return  # only what was scraped has a time of its own
        series = self._ask(f"max(timestamp({self._query.total}))", at, token)
        newest = max((float(each["value"][1]) for each in series), default=at.timestamp())
        if at.timestamp() - newest > STALE.total_seconds():
            raise Unavailable(
                f"{self._query.total} has not been scraped for {at.timestamp() - newest:.0f} s"
            )

    def _check_one_process(self, at: datetime, token: str) -> None:
        """Complain about counters of several processes that answer in turn at one address.

        Each fall would count as a restart, and all that the other process ever counted once more.
        """
        bound = self._query.slower_than
        total = with_edges(self._query.total, bound) if bound else self._query.total.strip()
        if not _SELECTOR.fullmatch(total):
            return  # only what was scraped has a past of its own
        if self._ask(_IN_TURN.format(counter=total), at, token):
            raise Unavailable(
                f"{self._query.total} falls and rises at one instance, again and again",
                hint="several processes answer there in turn, as with gunicorn: count in the "
                "multiprocess mode of the Prometheus client",
            )

    def _ask(self, expression: str, at: datetime, token: str) -> list[dict[str, Any]]:
        what = f"Prometheus ({self._source.name})"
        answer = fetch(
            what,
            f"{self._source.address}/api/v1/query",
            timeout=self._source.timeout,
            token=token,
            form={"query": expression, "time": f"{at.timestamp():.3f}"},
        )
        body = answer.body if isinstance(answer.body, dict) else {}
        if body.get("status") != "success":
            why = str(body.get("error") or f"status {answer.status}")[:UNREAD]
            raise Unavailable(f"{what} refuses {expression}: {why}")
        if warnings := body.get("warnings"):
            raise Unavailable(f"{what} has only a part: {str(warnings)[:UNREAD]}")
        return _vector(what, expression, body)


def _vector(what: str, expression: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    data = body.get("data")
    kind = data.get("resultType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or kind != "vector":
        raise Unavailable(
            f"{what} answers {expression} with {kind or 'nothing'}, not with counters",
            hint="name the counters, without a range in brackets",
        )
    try:
        for each in data["result"]:
            float(each["value"][1])
            dict(each["metric"])
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise Unavailable(f"{what} answers {expression} with something unreadable") from exc
    return list(data["result"])
