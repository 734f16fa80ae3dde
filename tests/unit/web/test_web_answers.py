"""Is it shown how often applications were answered on and off, and when?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean
from flagstaff.services.answer_counts import SLOT
from flagstaff.services.person import ENGINE
from flagstaff.services.telemetry import Answered, Heartbeat

PAGE = "/flags/new_navigation"


@pytest.fixture
def now(application):
    return application.services.clock.now()


def report(application, at, **counts):
    beat = Heartbeat(instance="web-1", environment="production", at=at)
    said = [
        Answered(
            environment="production",
            flag="new_navigation",
            value=value == "on",
            gate="boolean",
            count=count,
        )
        for value, count in counts.items()
    ]
    application.services.context.telemetry.report(beat, said)


def test_each_five_minutes_are_drawn_and_stand_in_the_table(client, application, now):
    report(application, now - 2 * SLOT, off=1_234)
    report(application, now, on=40, off=1_000)
    data = client.get(f"{PAGE}/answers?environment=production").json()
    assert (data["on"], data["off"]) == ([0, 0, 40], [1_234, 0, 1_000])
    assert [after - before for before, after in zip(data["x"], data["x"][1:], strict=False)] == [
        SLOT / timedelta(seconds=1)
    ] * 2
    page = client.get(f"{PAGE}?part=answers").text
    assert f'data-chart="{PAGE}/answers?environment=production"' in page
    assert ">1,234</td>" in page
    assert "environment=dev" not in page, "nobody has asked there"


def test_who_changed_the_flag_there_is_marked(client, application, now):
    report(application, now, off=1)
    for place in ("dev", "staging", "production"):
        change = SetFlag(flag="new_navigation", environments=(place,), change=Boolean(value=True))
        application.services.execute(change, ENGINE)
    marks = client.get(f"{PAGE}/answers?environment=production").json()["marks"]
    assert len(marks) == 1
    assert "production" in marks[0]["text"]


def test_before_any_report_nothing_is_drawn(client):
    assert client.get(f"{PAGE}/answers?environment=production").json()["x"] == []
    assert "No application has reported an answer" in client.get(PAGE).text
