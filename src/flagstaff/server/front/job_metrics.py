"""What does Prometheus read of background jobs?

Their names come from applications that show a token, and are bounded in number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flagstaff.services.jobs import Jobs

LABELS = ("environment", "task", "queue", "flag", "variant")


class JobMetrics(Collector):
    """Shows what is known of jobs whenever somebody looks."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        """Return everything."""
        events = CounterMetricFamily(
            "flagstaff_jobs", "What happened to background jobs.", labels=(*LABELS, "event")
        )
        waited = CounterMetricFamily(
            "flagstaff_job_wait_seconds", "Time from enqueuing or due to start.", labels=LABELS
        )
        ran = CounterMetricFamily(
            "flagstaff_job_run_seconds", "Time from start to end.", labels=LABELS
        )
        depth = GaugeMetricFamily(
            "flagstaff_jobs_waiting", "Jobs of a task in a queue.", labels=LABELS
        )
        oldest = GaugeMetricFamily(
            "flagstaff_jobs_oldest_seconds", "Age of the oldest that waits.", labels=LABELS
        )
        for row in self._jobs.rows():
            labels = [row.environment, row.task, row.queue, row.flag, row.variant]
            for event, value in asdict(row.sums).items():
                if not event.endswith("_s"):
                    events.add_metric([*labels, event], value)
            waited.add_metric(labels, row.sums.waited_s)
            ran.add_metric(labels, row.sums.ran_s)
            if row.depth is not None:
                depth.add_metric(labels, row.depth)
            if row.oldest_s is not None:
                oldest.add_metric(labels, row.oldest_s)
        queues = GaugeMetricFamily(
            "flagstaff_queue_depth", "Jobs in a queue.", labels=("environment", "queue")
        )
        for environment, seen in self._jobs.depths():
            queues.add_metric([environment, seen.queue], seen.depth)
        return (events, waited, ran, depth, oldest, queues)
