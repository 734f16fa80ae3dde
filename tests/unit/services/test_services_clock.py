"""Does a clock's time go on, at its speed and after a restart?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fakes import START, plan_of, turn_on
from flagstaff.errors import Conflict, UsageError
from flagstaff.flags.gates import Gates
from flagstaff.services.clock import FastClock, SystemClock
from flagstaff.services.kept_clock import kept_clock
from flagstaff.store import audit, flags
from flagstaff.store.flags import FlagState

SECOND = timedelta(seconds=1)


def near(one, other, within=SECOND):
    return abs(one - other) < within


def test_the_systems_clock_is_real_time():
    clock = SystemClock()
    now = clock.now()
    assert near(now, datetime.now(UTC))
    assert clock.wall(now) == now
    assert near(clock.after(60), now + 60 * SECOND)
    assert 59 < clock.seconds_until(now + 60 * SECOND) <= 60


def test_a_fast_clock_shows_more_time_than_has_passed():
    clock = FastClock(origin=datetime.now(UTC) - 10 * SECOND, speed=600)
    assert near(clock.now(), clock.origin + 6000 * SECOND, within=600 * SECOND)
    assert near(clock.after(60), clock.now() + 36_000 * SECOND, within=600 * SECOND)
    assert 9 < clock.seconds_until(clock.now() + 6000 * SECOND) <= 10
    assert near(clock.wall(clock.now()), datetime.now(UTC))


def test_without_a_speed_a_new_database_lives_in_real_time(database):
    assert kept_clock(database) == SystemClock()


def test_a_fast_clock_begins_now_and_is_kept(database):
    clock = kept_clock(database, 600)
    assert near(clock.now(), datetime.now(UTC), within=600 * SECOND)
    assert kept_clock(database) == clock
    assert kept_clock(database, 600) == clock


def test_another_speed_goes_on_from_the_same_time(database):
    fast = kept_clock(database, 1000)
    slower = kept_clock(database, 10)
    assert near(slower.now(), fast.now(), within=1000 * SECOND)
    assert slower.speed == 10
    assert kept_clock(database) == slower


def test_time_cannot_run_back(database):
    kept_clock(database, 600)
    with pytest.raises(Conflict, match="ahead of real time") as caught:
        kept_clock(database, 1)
    assert "--speed 600" in caught.value.hint


@pytest.mark.parametrize("speed", [0, 0.5, -1, float("inf"), float("nan")])
def test_other_speeds_are_refused(database, speed):
    with pytest.raises(UsageError, match="speed"):
        kept_clock(database, speed)
    assert kept_clock(database) == SystemClock()


def used(connection, what):
    match what:
        case "flag":
            state = FlagState(
                environment="dev",
                flag="x",
                gates=Gates(boolean=True),
                updated_at=START,
                updated_by="ada",
            )
            flags.put(connection, state)
        case "audit":
            entry = audit.AuditEntry(at=START, who="ada", source="terminal", action="flag.set")
            audit.append(connection, [entry])


@pytest.mark.parametrize("what", ["flag", "audit"])
def test_a_database_in_use_keeps_its_speed(database, what):
    with database.write() as connection:
        used(connection, what)
    with pytest.raises(Conflict, match="in use at 1 times real time, and cannot change to 600"):
        kept_clock(database, 600)
    assert kept_clock(database) == kept_clock(database, 1) == SystemClock()


def test_a_database_with_a_rollout_keeps_its_speed(database, added):
    added(plan_of(turn_on("dev")), begin=False)
    with pytest.raises(Conflict, match="in use"):
        kept_clock(database, 600)


def test_a_fast_database_in_use_goes_on_at_the_same_speed_only(database):
    fast = kept_clock(database, 600)
    with database.write() as connection:
        used(connection, "audit")
    assert kept_clock(database, 600) == kept_clock(database) == fast
    with pytest.raises(Conflict, match="in use at 600 times real time"):
        kept_clock(database, 10)
