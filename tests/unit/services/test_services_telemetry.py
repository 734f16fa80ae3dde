"""Is what applications report kept within bounds?"""

from __future__ import annotations

from datetime import UTC, datetime

from flagstaff.services import telemetry as module
from flagstaff.services.telemetry import Answered, Heartbeat, Telemetry, Unknown

AT = datetime(2026, 3, 1, tzinfo=UTC)


def beat(instance: str = "one") -> Heartbeat:
    return Heartbeat(instance=instance, environment="dev", at=AT)


def asked(flag: str, count: int = 1) -> Unknown:
    return Unknown(environment="dev", flag=flag, application="shop", count=count)


def test_counts_add_up():
    telemetry = Telemetry()
    answer = Answered(environment="dev", flag="a", value=True, gate="boolean", count=2)
    telemetry.report(beat(), [answer], [asked("nope", 3), asked("rare")])
    telemetry.report(beat(), [answer], [asked("nope", 4)])
    assert [each.count for each in telemetry.answers("a")] == [4]
    assert telemetry.unknown() == [asked("nope", 7), asked("rare")]
    assert len(telemetry.heartbeats()) == 1


def test_what_was_silent_longest_makes_room(monkeypatch):
    for name in ("MOST_INSTANCES", "MOST_ANSWERS", "MOST_UNKNOWN"):
        monkeypatch.setattr(module, name, 2)
    telemetry = Telemetry()
    for name in ("a", "b", "a", "c"):
        answer = Answered(environment="dev", flag=name, value=True, gate="boolean", count=1)
        telemetry.report(beat(name), [answer], [asked(name)])
    assert [each.instance for each in telemetry.heartbeats()] == ["c", "a"]
    assert telemetry.answers("b") == []
    assert {each.flag for each in telemetry.unknown()} == {"a", "c"}
