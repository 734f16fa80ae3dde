"""Is each guard's evidence drawn over time, and does the same stand in a table?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.commands.model import ShowEvidence
from flagstaff.rollouts.guard import Arm, Standing
from flagstaff.services.person import ENGINE
from flagstaff.store import evidence, rollouts
from flagstaff.store.evidence import Point

BEGUN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NAME = "renamed workers"
FIRST = Point(
    rollout_id=0,
    began=1,
    guard=NAME,
    poll=0,
    at=BEGUN,
    stage=1,
    percentage=10.0,
    standing=Standing.COLLECTING,
    treatment=Arm(total=10, failed=0),
    control=Arm(total=90, failed=0),
    ratio=1.0,
    low=0.0,
    high=None,
    harm=0.0,
    harm_limit=3.0,
    safe=0.0,
    safe_limit=2.3,
)


@pytest.fixture
def keep(application):
    def kept(number, *points):
        with application.services.unit(ENGINE, write=True) as unit:
            evidence.keep(unit.connection, [replace(each, rollout_id=number) for each in points])

    return kept


def later(poll, **changed):
    at = BEGUN + timedelta(minutes=poll)
    return replace(FIRST, poll=poll, at=at, **changed)


def drawn(client, number):
    answer = client.get(f"/rollouts/{number}/evidence", params={"guard": NAME})
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_ratio_bounds_and_limit_are_drawn_with_the_stages(client, make_rollout, keep):
    number = make_rollout()
    assert drawn(client, number)["x"] == []
    failed = Arm(total=200, failed=4)
    keep(
        number,
        FIRST,
        later(1, treatment=failed, ratio=2.5, low=0.5, high=9.0),
        later(2, treatment=failed, ratio=2.0, low=0.75, high=4.0, percentage=25.0),
    )
    found = drawn(client, number)
    assert found["x"] == [BEGUN.timestamp() + 60 * each for each in range(3)]
    assert found["known"] == [False, True, True]  # nothing has failed at first: no ratio
    assert (found["ratio"], found["low"]) == ([1.0, 2.5, 2.0], [0.0, 0.5, 0.75])
    assert found["high"] == [None, 9.0, 4.0]
    assert found["limit"] == 1.1
    assert [(each["at"] - found["x"][0], each["text"]) for each in found["marks"]] == [
        (0, "10 %"),
        (120, "25 %"),
    ]


def test_a_stage_that_was_put_back_is_marked_though_the_share_is_the_same(
    client, make_rollout, keep
):
    number = make_rollout()
    keep(number, FIRST, later(3, began=2))
    assert len(drawn(client, number)["marks"]) == 2


def test_the_tile_has_the_chart_and_the_same_as_a_table(client, make_rollout, keep):
    number = make_rollout()
    assert "Over time as a table" not in client.get(f"/rollouts/{number}").text
    harmful = Arm(total=2000, failed=41)
    keep(number, FIRST, later(1, treatment=harmful, ratio=4.2, low=2.0, high=None, harm=3.912))
    page = client.get(f"/rollouts/{number}").text
    assert 'data-chart="/rollouts/1/evidence?guard=renamed%20workers"' in page
    row = page.partition("Over time as a table")[2].partition("<tbody>")[2].partition("</tr>")[0]
    for said in ("10 %", "41 of 2,000", "0 of 90", "4.2\N{MULTIPLICATION SIGN}", "50 : 1"):
        assert said in row, said
    head = page.partition("Over time as a table")[2].partition("</thead>")[0]
    titles = re.findall("<th [^>]*>([^<]+)</th>", head)
    # A phone shows no head: each figure brings its own.
    assert ["When", *re.findall('data-label="([^"]+)"', row)] == titles


def test_a_long_table_says_where_the_rest_is(client, make_rollout, keep):
    number = make_rollout()
    keep(number, *(later(each) for each in range(45)))
    page = client.get(f"/rollouts/{number}").text
    assert "The latest 40 of 45" in page


def test_another_guard_is_refused(client, make_rollout):
    number = make_rollout()
    assert client.get(f"/rollouts/{number}/evidence", params={"guard": "x"}).status_code == 404
    assert list(client.get(f"/rollouts/{number}/evidence").json()) == [NAME]


def test_where_pairs_are_compared_there_is_neither_a_ratio_nor_a_chart_of_it(
    client, application, make_rollout, keep
):
    number = make_rollout()
    with application.services.unit(ENGINE, write=True) as unit:
        record = rollouts.get(unit.connection, number)
        plan = record.rollout.plan
        ranked = replace(plan, guards=(replace(plan.guards[0], ranked=True),))
        rollouts.save(unit.connection, record, replace(record.rollout, plan=ranked))
    keep(number, replace(FIRST, ratio=None))
    page = client.get(f"/rollouts/{number}").text
    assert "every job against every other" in page
    assert 'data-kind="evidence"' not in page
    assert '>10</td><td class="num" data-label="Old names">90</td>' in page
    told = application.services.execute(ShowEvidence(rollout=number), ENGINE).text
    assert "10 %  10 against 90  in pairs  safe 1 : 1, harm 1 : 1  collecting" in told
