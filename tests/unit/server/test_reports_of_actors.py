"""Does what applications say of actors get to the table, and only where it belongs?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from flagstaff.flags.gates import Gates
from flagstaff.services import actors
from flagstaff.services.actors import News, Report
from flagstaff.services.person import ENGINE
from flagstaff.services.snapshots import snapshot
from flagstaff.store import actors as store
from flagstaff.store import flags as store_flags
from flagstaff.store.flags import FlagState
from flagstaff.store.tables import failed_actor, seen_actor

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FLAG = "new_navigation"
ONE, TWO = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def draw(application, rollout):
    """Return the draw of a flag whose actors are counted."""
    state = FlagState(
        environment="production",
        flag=FLAG,
        gates=Gates(percentage_of_actors=Decimal(50)),
        updated_at=NOW,
        updated_by="ada",
    )
    with application.services.unit(ENGINE, write=True) as unit:
        store_flags.put(unit.connection, state)
        store.begin(unit.connection, rollout, "ab" * 16)
        return snapshot(unit, "production").drawn[FLAG]


@pytest.fixture
def kept(application):
    def read():
        with application.services.database.read() as connection:
            seen = connection.execute(seen_actor.select()).all()
            failed = connection.execute(failed_actor.select()).all()
        return {row.actor: row.on for row in seen}, {(row.kind, row.actor) for row in failed}

    return read


def body(drawn, **changed):
    said = {
        "flag": FLAG,
        "rollout": drawn.rollout,
        "draw": drawn.number,
        "kinds": ["5xx"],
        "on": [ONE],
        "failed": {"5xx": {"off": [TWO]}},
        **changed,
    }
    return {"instance": "web-1", "environment": "production", "actors": [said]}


def test_a_report_is_kept_and_so_is_a_batch_that_says_it_again(client, draw, kept):
    assert client.post("/api/v1/telemetry", json=body(draw)).status_code == 202
    both = {"reports": [body(draw), {**body(draw), "environment": "dev"}]}
    assert client.post("/api/v1/telemetry/batch", json=both).status_code == 202
    assert kept() == ({ONE: True, TWO: False}, {("5xx", TWO)})


def test_a_failure_of_a_kind_that_is_not_counted_is_none(client, draw, kept):
    assert client.post("/api/v1/telemetry", json=body(draw, kinds=["302"])).status_code == 202
    assert kept() == ({ONE: True, TWO: False}, set())


@pytest.mark.parametrize(
    "changed",
    [{"flag": "other"}, {"rollout": 99}, {"draw": 2**62}],
)
def test_what_belongs_to_no_draw_that_was_sent_is_left_aside(client, draw, kept, changed):
    assert client.post("/api/v1/telemetry", json=body(draw, **changed)).status_code == 202
    assert kept() == ({}, set())


def test_other_environments_draw_nobody(client, application, draw, kept):
    elsewhere = {**body(draw), "environment": "dev"}
    assert client.post("/api/v1/telemetry", json=elsewhere).status_code == 202
    assert kept() == ({}, set())
    with application.services.unit(ENGINE, write=False) as unit:
        assert snapshot(unit, "dev").drawn == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"on": ["User:42"]},
        {"on": [ONE.upper()]},
        {"draw": -1},
        {"draw": 2**63},
        {"rollout": 0},
        {"kinds": ["k" * 41]},
        {"failed": {"5xx": {"on": [1]}}},
    ],
)
def test_a_malformed_report_is_refused(client, draw, kept, changed):
    assert client.post("/api/v1/telemetry", json=body(draw, **changed)).status_code == 400
    assert kept() == ({}, set())


def test_signs_of_life_are_written_now_and_then_and_people_at_once():
    news, alive = News(), Report(rollout=1, flag=FLAG, draw=5, kinds=["5xx"])
    assert news.found([alive], NOW) == [alive]
    assert news.found([alive], NOW + timedelta(seconds=5)) == []
    assert news.found([alive], NOW + timedelta(seconds=11)) == [alive]
    people = Report(rollout=1, flag=FLAG, draw=5, seen={ONE: True})
    assert news.found([people], NOW) == news.found([people], NOW) == [people]
    bare = Report(rollout=1, flag=FLAG, draw=5, bare=["5xx"])
    assert news.found([bare, alive], NOW + timedelta(seconds=12)) == [bare]
    assert actors.SILENT > 2 * actors.OFTEN
