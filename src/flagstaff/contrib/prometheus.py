"""How does Prometheus learn how often flags are answered, and how fresh the answers are?

`prometheus_client.REGISTRY.register(FlagCollector(client))` is all there is to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from flagstaff.errors import MissingExtra
from flagstaff.sdk.client import Client

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError as exc:
    raise MissingExtra.named("prometheus", package="prometheus-client") from exc


class FlagCollector(Collector):
    """Reads a client's counts when Prometheus asks; answering flags costs nothing more."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        found = self._client.readiness()
        answers = CounterMetricFamily(
            "flagstaff_evaluations",
            "Answers of feature flags.",
            labels=["environment", "flag", "value", "gate"],
        )
        for each in self._client.totals():
            value = "on" if each.value else "off"
            answers.add_metric([found.environment, each.flag, value, each.gate], each.count)
        yield answers
        unanswered = CounterMetricFamily(
            "flagstaff_unanswered",
            "Questions that only a default could answer.",
            labels=["environment", "flag"],
        )
        for flag, count in found.unanswered.items():
            unanswered.add_metric([found.environment, flag], count)
        yield unanswered
        yield GaugeMetricFamily(
            "flagstaff_snapshot_version", "Version of the snapshot in force.", found.version
        )
        yield GaugeMetricFamily(
            "flagstaff_ready", "1 if there is a snapshot to answer from.", int(found.ready)
        )
