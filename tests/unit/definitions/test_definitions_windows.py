"""Are freezes and quiet hours read as written, and do they hold when they should?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.definitions import Freeze, load_project
from flagstaff.definitions.policies import QuietHours
from flagstaff.definitions.windows import frozen
from flagstaff.errors import DefinitionError

NIGHTS = QuietHours(
    cron="0 18 * * MON-FRI",
    lasts=timedelta(hours=14),
    timezone="Europe/Berlin",
    reason="nobody is here at night",
)


def at(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "flagstaff.yml").write_text(text)
        return load_project(tmp_path)

    return read


def test_both_forms_are_read(read):
    project = read("""
policies:
  freeze:
    - {from: 2026-12-24, to: 2026-12-26, timezone: Europe/Berlin, reason: holidays}
    - {from: 2026-12-31T12:00:00Z, to: 2027-01-01T12:00:00Z, reason: x, environments: [ops, pre]}
  quiet_hours:
    - cron: 0 18 * * MON-FRI
      lasts: 14h
      timezone: Europe/Berlin
      reason: nobody is here at night
""")
    holidays, other = project.policies.freeze
    assert holidays == Freeze(
        since=at("2026-12-23T23:00:00+00:00"),
        until=at("2026-12-26T23:00:00+00:00"),
        reason="holidays",
    )
    assert other.environments == ("ops", "pre")
    assert project.policies.quiet_hours == (NIGHTS,)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{cron: 0 25 * * *, lasts: 1h, reason: x}", "is no line of cron: bad hour"),
        ("{cron: gibberish, lasts: 1h, reason: x}", "is no line of cron"),
        ("{cron: 0 1 * * *, lasts: 0s, reason: x}", "is no time for quiet hours"),
        ("{cron: 0 1 * * *, lasts: 400d, reason: x}", "is no time for quiet hours"),
        ("{cron: 0 1 * * *, lasts: 1h, timezone: Mars/Base, reason: x}", "no time zone"),
        ("{cron: 0 1 * * *, lasts: 1h, timezone: ../../etc/passwd, reason: x}", "no time zone"),
        ("{lasts: 1h, reason: x}", "has no `policies.quiet_hours.cron`"),
        ("{cron: 0 1 * * *, reason: x}", "has no `policies.quiet_hours.lasts`"),
        ("{cron: 0 1 * * *, lasts: 1h}", "has no `policies.quiet_hours.reason`"),
        ("{cron: 0 1 * * *, lasts: 1h, reason: x, until: 3}", "unknown key"),
    ],
)
def test_what_is_wrong_is_said(read, entry, says):
    with pytest.raises(DefinitionError) as caught:
        read(f"policies:\n  quiet_hours:\n    - {entry}\n")
    assert any(says in each.what for each in caught.value.problems)
    assert all(each.line == 3 for each in caught.value.problems)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-03-02T17:59:59+01:00", None),
        ("2026-03-02T18:00:00+01:00", "2026-03-03T08:00:00+01:00"),
        ("2026-03-03T07:59:59+01:00", "2026-03-03T08:00:00+01:00"),
        ("2026-03-03T08:00:00+01:00", None),
        ("2026-03-07T12:00:00+01:00", None),
        # The night in which clocks go forward is an hour shorter by the clock on the wall.
        ("2026-03-27T18:00:00+01:00", "2026-03-28T08:00:00+01:00"),
        ("2026-07-01T18:00:00+02:00", "2026-07-02T08:00:00+02:00"),
    ],
)
def test_quiet_hours_follow_the_clock_of_their_zone(moment, until):
    found = frozen((NIGHTS,), "production", at(moment))
    assert (found and found.until) == (at(until) if until else None)


def test_only_where_they_are_for():
    assert frozen((NIGHTS,), "staging", at("2026-03-02T20:00:00+01:00")) is None


def test_what_follows_without_a_gap_is_one():
    morning = Freeze(
        since=at("2026-03-03T07:00:00+00:00"), until=at("2026-03-03T12:00:00+00:00"), reason="x"
    )
    found = frozen((NIGHTS, morning), "production", at("2026-03-02T20:00:00+01:00"))
    assert (found.reason, found.until) == (
        "nobody is here at night",
        at("2026-03-03T12:00:00+00:00"),
    )


def test_what_never_ends_has_no_end():
    always = QuietHours(cron="0 * * * *", lasts=timedelta(hours=2), reason="for ever")
    found = frozen((always,), "production", datetime(2026, 3, 2, tzinfo=UTC))
    assert (found.reason, found.until) == ("for ever", None)
