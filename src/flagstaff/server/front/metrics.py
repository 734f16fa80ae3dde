"""What can be measured about a running server? `/metrics`, for Prometheus.

Labels are names that the project itself has (environments, kinds of commands) or templates of
addresses; nothing that a client can invent becomes one, and nothing secret. Jobs alone have names
that come from applications (`job_metrics`).
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flagstaff.server.front.job_metrics import JobMetrics
from flagstaff.server.streams.hub import Hub
from flagstaff.services.jobs import Jobs

DURATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
TICKS, DATABASE_ERRORS = "flagstaff_engine_ticks", "flagstaff_database_errors"
HELP = {
    TICKS: "Times the engine has looked which rollouts are due.",
    DATABASE_ERRORS: "Times the database did not answer or could not be read.",
}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts what happens in one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "flagstaff_http_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._durations = Histogram(
            "flagstaff_http_request_duration_seconds",
            "From the request's headers to the end of the answer; streams are left out.",
            ("route",),
            buckets=DURATIONS,
            registry=registry,
        )
        self._limited = Counter(
            "flagstaff_limits_hit", "Requests refused by a limit.", ("limit",), registry=registry
        )
        self._dropped = Counter(
            "flagstaff_slow_readers_dropped",
            "Streams cut off because nobody read from them.",
            registry=registry,
        )
        self._commands = Counter(
            "flagstaff_commands",
            "Commands carried out, refused or failed.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._spreads = Histogram(
            "flagstaff_spread_duration_seconds",
            "From a new snapshot's being read to its being written to every stream.",
            ("environment",),
            buckets=DURATIONS,
            registry=registry,
        )
        build = Info("flagstaff_build", "What is running.", registry=registry)
        build.info({"version": version("flagstaff"), "python": platform.python_version()})
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count a request; without `seconds` it was a stream."""
        key = (route, method, status)
        known = self._known.get(key)
        if known is None:
            counter = self._requests.labels(route, method, str(status))
            known = self._known[key] = (counter, self._durations.labels(route))
        known[0].inc()
        if seconds is not None:
            known[1].observe(seconds)

    def limited(self, limit: str) -> None:
        """Count a refusal by a limit."""
        self._limited.labels(limit).inc()

    def dropped(self) -> None:
        """Count a reader that was cut off."""
        self._dropped.inc()

    def carried_out(self, kind: str, outcome: str) -> None:
        """Count a command."""
        self._commands.labels(kind, outcome).inc()

    def spread(self, environment: str, seconds: float) -> None:
        """Count a snapshot that was written to every stream."""
        self._spreads.labels(environment).observe(seconds)

    def watch(
        self, hub: Hub, counts: Mapping[str, Callable[[], int]], jobs: Jobs | None = None
    ) -> None:
        """Show what a hub is about, these counts and jobs, whenever somebody looks."""
        self.registry.register(_Watched(hub, counts))
        if jobs is not None:
            self.registry.register(JobMetrics(jobs))

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)


class _Watched(Collector):
    def __init__(self, hub: Hub, counts: Mapping[str, Callable[[], int]]) -> None:
        self._hub = hub
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        streams = GaugeMetricFamily(
            "flagstaff_streams", "Streams open, by environment.", labels=["environment"]
        )
        versions = GaugeMetricFamily(
            "flagstaff_snapshot_version",
            "The version of the flags that streams have been given.",
            labels=["environment"],
        )
        for channel in self._hub.channels:
            streams.add_metric([channel.environment], len(channel.subscribers))
            if channel.latest is not None:
                versions.add_metric([channel.environment], channel.latest.version)
        pages = GaugeMetricFamily(
            "flagstaff_name_streams", "Streams open that hear the names of what changed."
        )
        pages.add_metric([], self._hub.readers)
        counted = [
            CounterMetricFamily(name, HELP[name], value=count())
            for name, count in self._counts.items()
        ]
        return (streams, versions, pages, *counted)
