"""Do metrics and traces say what flags answered?"""

from __future__ import annotations

import pytest

from flagstaff import Client


def test_prometheus():
    prometheus_client = pytest.importorskip("prometheus_client")
    from flagstaff.contrib.prometheus import FlagCollector  # noqa: PLC0415 - needs the extra

    client = Client.memory({"on": True, "off": False}, environment="prod")
    registry = prometheus_client.CollectorRegistry()
    registry.register(FlagCollector(client))
    for _ in range(3):
        client.is_enabled("on")
    client.is_enabled("off")
    client.is_enabled("nope")
    client._exposures.take({"on", "off"})
    client.is_enabled("on")

    def value(name, **labels):
        return registry.get_sample_value(name, {"environment": "prod", **labels})

    counted = "flagstaff_evaluations_total"
    assert value(counted, flag="on", value="on", gate="boolean") == 4
    assert value(counted, flag="off", value="off", gate="none") == 1
    assert value("flagstaff_unanswered_total", flag="nope") == 1
    assert registry.get_sample_value("flagstaff_snapshot_version") == 1
    assert registry.get_sample_value("flagstaff_ready") == 1


def test_opentelemetry():
    pytest.importorskip("opentelemetry")
    from flagstaff.contrib.opentelemetry import add_event  # noqa: PLC0415 - needs the extra

    class Span:
        events = ()

        def add_event(self, name, attributes):
            self.events = (*self.events, (name, attributes))

    client, span = Client.memory({"on": True}), Span()
    add_event(client.evaluate("on"), actor="User:1", environment="prod", span=span)
    add_event(client.evaluate("nope"), span=span)
    assert span.events[0] == (
        "feature_flag.evaluation",
        {
            "feature_flag.key": "on",
            "feature_flag.provider.name": "flagstaff",
            "feature_flag.result.reason": "static",
            "feature_flag.result.variant": "on",
            "feature_flag.version": "1",
            "feature_flag.context.id": "User:1",
            "feature_flag.set.id": "prod",
        },
    )
    assert span.events[1][1]["error.type"] == "flag_not_found"
