"""Is each reason found when it is one, and nothing made of what nobody knows?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from flagstaff.flags.gates import State
from flagstaff.flags.reminder import Reminder, reminder
from flagstaff.flags.stale import FlagFacts, Limits, StaleReason, Standing, findings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = Limits(fully_on=30 * DAY, never_on=90 * DAY, no_exposures=30 * DAY, no_rows=30 * DAY)
CAME = NOW - 200 * DAY
ON, OFF, SOME = State.ON, State.OFF, State.CONDITIONAL


def stands(*states, days=100, is_set=True):
    return tuple(
        Standing(environment=f"e{n}", state=state, since=NOW - days * DAY, is_set=is_set)
        for n, state in enumerate(states)
    )


FINE = FlagFacts(
    name="x", type="beta", standings=stands(ON, SOME), introduced_at=CAME, referenced=True
)


def reasons(**facts):
    return [each.reason for each in findings(replace(FINE, **facts), LIMITS, NOW)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"standings": stands(ON, ON)}, [StaleReason.FULLY_ON]),
        ({"standings": stands(ON, ON, days=29)}, []),
        ({"standings": stands(ON, ON, days=30)}, [StaleReason.FULLY_ON]),
        ({"standings": stands(ON) + stands(ON, days=1)}, []),
        ({"standings": stands(OFF, OFF)}, [StaleReason.NEVER_ON]),
        ({"standings": stands(OFF, OFF, days=89)}, []),
        ({"standings": stands(OFF, SOME, days=300)}, []),
        ({"standings": ()}, []),
        ({"referenced": False}, [StaleReason.NO_REFERENCES]),
        ({"referenced": None}, []),
        ({"ends_at": NOW}, [StaleReason.PAST_LIFESPAN]),
        ({"ends_at": NOW + DAY}, []),
        ({"due_at": NOW}, [StaleReason.CLEANUP_DUE]),
        ({"due_at": NOW + DAY}, []),
        ({"rollout_by": date(2026, 5, 31)}, [StaleReason.PAST_ROLLOUT_DATE]),
        ({"rollout_by": date(2026, 6, 1)}, []),
        ({"rollout_by": date(2026, 5, 31), "standings": stands(ON, days=1)}, []),
        ({"defined": False}, [StaleReason.NO_DEFINITION]),
        ({"standings": stands(SOME, is_set=False)}, [StaleReason.NO_ROWS]),
        ({"standings": stands(SOME, is_set=False), "introduced_at": NOW - 3 * DAY}, []),
        ({"standings": stands(SOME, is_set=False, days=3)}, []),
    ],
)
def test_each_reason(facts, expected):
    assert reasons(**facts) == expected


def test_a_flag_that_nobody_asks_for_is_stale_only_while_others_are_asked_for():
    heard = {"exposures_since": NOW - 90 * DAY, "exposures_until": NOW - DAY}
    assert reasons(**heard) == [StaleReason.NO_EXPOSURES]
    assert reasons(**heard, exposed_at=NOW - 29 * DAY) == []
    assert reasons(**heard, exposed_at=NOW - 31 * DAY) == [StaleReason.NO_EXPOSURES]
    # A new flag, a server that has not listened for long, and applications that are all silent.
    assert reasons(**heard, introduced_at=NOW - 5 * DAY) == []
    assert reasons(exposures_since=NOW - 20 * DAY, exposures_until=NOW) == []
    assert reasons(exposures_since=NOW - 90 * DAY, exposures_until=NOW - 40 * DAY) == []
    assert reasons() == []


def test_a_flag_that_is_being_rolled_out_is_not_stale_for_what_is_about_to_change():
    off = {"standings": stands(OFF, OFF), "referenced": False}
    assert reasons(**off) == [StaleReason.NEVER_ON, StaleReason.NO_REFERENCES]
    assert reasons(**off, in_rollout=True) == []
    assert reasons(**off, in_rollout=True, ends_at=CAME) == [StaleReason.PAST_LIFESPAN]


def test_where_nobody_knows_since_when_the_introduction_counts():
    unknown = (Standing(environment="e", state=OFF, since=None, is_set=False),)
    found = findings(replace(FINE, standings=unknown), LIMITS, NOW)
    assert [each.reason for each in found] == [StaleReason.NEVER_ON, StaleReason.NO_ROWS]
    assert {each.since for each in found} == {CAME}
    assert reasons(standings=unknown, introduced_at=None) == []


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        (-15, None),
        (-14, Reminder(stage="2026-06-01/soon", overdue=None)),
        (-1, Reminder(stage="2026-06-01/soon", overdue=None)),
        (0, Reminder(stage="2026-06-01/due/0", overdue=0)),
        (6, Reminder(stage="2026-06-01/due/0", overdue=0)),
        (7, Reminder(stage="2026-06-01/due/1", overdue=1)),
        (70, Reminder(stage="2026-06-01/due/10", overdue=10)),
    ],
)
def test_it_is_time_for_one_reminder_soon_one_on_the_day_and_one_a_week(days, stage):
    due = datetime(2026, 6, 1, tzinfo=UTC)
    assert reminder(due, due + days * DAY, before=14 * DAY, every=7 * DAY) == stage
