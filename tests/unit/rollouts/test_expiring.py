"""Does a rollout that nobody looks after warn, and then expire, and nothing else?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from fakes import GUARD, HARM, START, plan_of, ramp, turn_on
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.event import Aborted, Approved, Observed, Paused, Resumed, Started
from flagstaff.rollouts.expiring import expires_at, warns_at
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.needs import needs
from flagstaff.rollouts.plan import Approve, AskPerson, Bake
from flagstaff.rollouts.rollout import Phase, Rollout

DAY = timedelta(days=1)
LOOK = Observed()


def waiting(*actions, **settings):
    rollout = Rollout.of(plan_of(*actions, announce_to=("#prod",), **settings), rollout_id=7)
    rollout, _ = advance(rollout, Started(by="ada"), START)
    return looked(rollout, START)[0]


def looked(rollout, now):
    said = []
    for _ in range(5):
        rollout, effects = advance(rollout, LOOK, now)
        said += [each.text for each in effects if isinstance(each, Post)]
    return rollout, said


def test_it_warns_three_days_before_and_says_where_it_stands():
    rollout, said = looked(waiting(AskPerson()), START + 18 * DAY - timedelta(seconds=1))
    assert said == []
    rollout, said = looked(rollout, START + 18 * DAY)
    (text,) = said
    assert text.endswith("expires 2026-03-23 09:00 UTC. It stands at s1: Step 1.")


def test_it_expires_with_the_reason_and_its_gates_stay():
    rollout, _ = looked(waiting(ramp(10), AskPerson()), START + 18 * DAY)
    rollout, said = looked(rollout, START + 21 * DAY)
    assert rollout.phase is Phase.EXPIRED
    assert "nothing has gone forward for 21 days; the gates stay" in rollout.reason
    assert len(said) == 1
    assert looked(rollout, START + 90 * DAY) == (rollout, [])


def test_nobody_is_surprised_after_the_engine_was_away():
    rollout, said = looked(waiting(AskPerson()), START + 90 * DAY)
    assert (rollout.phase, len(said)) == (Phase.WAITING, 1)
    assert expires_at(rollout) == START + 93 * DAY
    assert looked(rollout, START + 93 * DAY)[0].phase is Phase.EXPIRED


def test_whatever_can_go_forward_does_so_first():
    rollout = waiting(Bake(duration=DAY), turn_on("dev"))
    rollout, said = looked(rollout, START + 90 * DAY)
    assert (rollout.phase, said) == (Phase.COMPLETED, [])


def test_a_long_wait_is_no_standstill():
    rollout = waiting(Bake(duration=40 * DAY))
    assert warns_at(rollout) == START + 58 * DAY


def test_a_word_of_a_person_is_progress():
    rollout, _ = looked(waiting(Approve(count=2)), START + 18 * DAY)
    rollout, _ = advance(rollout, Approved(step="s1", by="bob"), START + 19 * DAY)
    assert (rollout.warned_at, expires_at(rollout)) == (None, START + 40 * DAY)


def test_one_that_was_paused_and_forgotten_expires_as_well():
    rollout, _ = advance(waiting(AskPerson()), Paused(by="ada", reason="x"), START)
    rollout, _ = looked(rollout, START + 18 * DAY)
    assert looked(rollout, START + 21 * DAY)[0].phase is Phase.EXPIRED


@pytest.mark.parametrize("days", [0, 7])
def test_the_plan_says_how_long(days):
    rollout, _ = looked(waiting(AskPerson(), expiry=days * DAY), START + 6 * DAY)
    rollout, _ = looked(rollout, START + 9 * DAY)
    assert rollout.phase is (Phase.EXPIRED if days else Phase.WAITING)


def expired(*actions, **settings):
    rollout, _ = looked(waiting(*actions, **settings), START + 18 * DAY)
    return looked(rollout, START + 21 * DAY)[0]


def test_a_person_takes_it_up_again_where_it_stood():
    rollout = expired(AskPerson(), turn_on("dev"))
    rollout, _ = advance(rollout, Resumed(by="ada"), START + 30 * DAY)
    rollout, said = looked(rollout, START + 30 * DAY)
    assert (rollout.phase, said, expires_at(rollout)) == (Phase.WAITING, [], START + 51 * DAY)


def test_nothing_else_moves_it_but_an_end():
    rollout = expired(ramp(10), AskPerson(), guards=(GUARD,))
    assert not needs(rollout).guards
    for event in (Approved(step="s2", by="ada"), Observed(measurements=(HARM,))):
        assert advance(rollout, event, START + 30 * DAY) == (rollout, ())
    ended, _ = advance(rollout, Aborted(by="ada", reason="over"), START + 30 * DAY)
    assert ended.phase is Phase.ROLLED_BACK
