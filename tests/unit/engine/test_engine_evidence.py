"""Is what each guard said kept poll by poll, with the evidence itself and no other way?"""

from __future__ import annotations

from datetime import timedelta
from math import log

import pytest

from fakes import BLIND, CALM, GUARD, HARM, START, plan_of, ramp, reading
from flagstaff.commands.model import ShowEvidence
from flagstaff.errors import NotFound, UsageError
from flagstaff.rollouts.guard import Standing
from flagstaff.rollouts.plan import Bake, RollbackTo
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import evidence
from flagstaff.services.person import ENGINE

PLAN = plan_of(
    ramp(10),
    Bake(duration=timedelta(hours=1)),
    ramp(50),
    Bake(duration=timedelta(hours=1)),
    guards=(GUARD,),
)


def history(lab, number, **asked):
    return lab.services.ask(lambda unit: evidence.history(unit, number, **asked), ENGINE)


def points(lab, number, **asked):
    (found,) = history(lab, number, **asked)
    return found.points


def poll(lab, measured, minutes=1):
    lab.clock.advance(minutes=minutes)
    lab.world.measurements["jobs"] = measured
    lab.engine.tick()


def counted(point):
    return (
        point.treatment.total,
        point.treatment.failed,
        point.control.total,
        point.control.failed,
    )


def test_each_poll_that_tells_something_leaves_a_point(lab):
    number = lab.added(PLAN)
    lab.engine.tick()
    poll(lab, reading((100, 1), (900, 9)))
    poll(lab, reading((100, 1), (900, 9)))  # nothing new
    poll(lab, reading((200, 2), (1800, 18)))
    first, *_, last = points(lab, number)
    assert [counted(each) for each in points(lab, number)][-2:] == [
        (100, 1, 900, 9),
        (200, 2, 1800, 18),
    ]
    assert first.poll == 0
    assert (last.stage, last.percentage, last.standing) == (1, 10.0, Standing.COLLECTING)
    (said,) = lab.look(number).readings
    assert (last.ratio, last.low, last.high) == (said.ratio, said.low, said.high)
    assert last.harm == pytest.approx(log(said.harm))
    assert (last.harm_limit, last.safe_limit) == (
        pytest.approx(log(said.harm_limit)),
        pytest.approx(log(said.safe_limit)),
    )
    assert last.at == lab.clock.now()


def test_the_poll_that_rolls_back_is_kept(lab):
    number = lab.added(PLAN)
    lab.engine.tick()
    poll(lab, CALM)
    poll(lab, HARM)
    assert lab.look(number).rollout.phase is Phase.ROLLED_BACK
    last = points(lab, number)[-1]
    assert counted(last) == (3100, 43, 3100, 4)
    assert last.standing is Standing.HARMFUL
    assert last.harm > last.harm_limit
    assert last.percentage == 10.0


def test_a_stage_that_is_put_back_leaves_what_led_to_it(lab):
    number = lab.added(
        plan_of(
            ramp(10),
            Bake(duration=timedelta(minutes=2)),
            ramp(50),
            Bake(duration=timedelta(hours=9)),
            guards=(GUARD,),
            rollback_to=RollbackTo.PREVIOUS,
        )
    )
    lab.engine.tick()
    poll(lab, CALM)
    poll(lab, reading((3000, 3), (3000, 3)), minutes=3)
    lab.engine.tick()
    assert lab.look(number).rollout.percentage == 50.0
    # Readings count from the beginning of the watch, which begins anew with the stage before.
    harm, fresh = reading((5000, 63), (5000, 4)), reading((100, 0), (100, 0))
    lab.world.measure = lambda _, kept: harm if kept.since == START else fresh
    lab.clock.advance(minutes=1)
    lab.engine.tick()
    rollout = lab.look(number).rollout
    assert (rollout.phase, rollout.percentage) == (Phase.PAUSED, 10.0)
    *_, last, anew = points(lab, number)
    assert (last.percentage, last.standing) == (50.0, Standing.HARMFUL)
    assert counted(last) == (5000, 63, 5000, 4)
    assert (anew.poll, anew.percentage, counted(anew)) == (0, 10.0, (100, 0, 100, 0))


def test_the_poll_that_opens_further_is_kept_as_the_stage_before_sees_it(lab):
    number = lab.added(PLAN)
    lab.engine.tick()
    poll(lab, CALM)
    poll(lab, reading((9000, 9), (9000, 9)), minutes=30)
    poll(lab, reading((90_000, 90), (90_000, 90)), minutes=31)
    lab.engine.tick()
    assert lab.look(number).rollout.percentage == 50.0
    of_ten = [each for each in points(lab, number) if each.percentage == 10.0]
    assert of_ten[-1].standing is Standing.HEALTHY
    assert counted(of_ten[-1]) == (90_000, 90, 90_000, 90)


def test_a_look_that_is_not_committed_leaves_no_point(lab, monkeypatch):
    number = lab.added(PLAN)
    lab.engine.tick()
    poll(lab, CALM)
    before = points(lab, number)

    def broken(*_, **__):
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as patched:
        patched.setattr("flagstaff.services.looking.looks.release", broken)
        lab.clock.advance(minutes=1)
        lab.world.measurements["jobs"] = reading((3000, 3), (3000, 3))
        with pytest.raises(RuntimeError):
            lab.engine.tick()
    assert points(lab, number) == before
    assert lab.look(number).rollout.watches[0].treatment.total == 1000


def test_no_data_is_a_point_with_its_standing(lab):
    number = lab.added(PLAN)
    for _ in range(4):
        poll(lab, BLIND)
    last = points(lab, number)[-1]
    assert last.standing is Standing.NO_DATA
    assert (last.ratio, last.high) == (None, None)


def test_one_guard_and_one_span_may_be_asked_for(lab):
    number = lab.added(PLAN)
    lab.engine.tick()
    poll(lab, CALM)
    poll(lab, reading((3000, 3), (3000, 3)), minutes=20)
    assert len(points(lab, number, guard="jobs", since="5m")) == 1
    assert len(points(lab, number)) > 1
    with pytest.raises(NotFound, match="no guard jbos"):
        history(lab, number, guard="jbos")
    with pytest.raises(UsageError, match="is no time"):
        history(lab, number, since="yesterday")
    with pytest.raises(NotFound, match="no rollout 99"):
        history(lab, 99)


def test_it_is_told_line_by_line_and_as_data(lab):
    number = lab.added(PLAN)
    assert lab.execute(ShowEvidence(rollout=number)).text.endswith("  nothing was read")
    lab.engine.tick()
    poll(lab, reading((1000, 20), (9000, 90)))
    told = lab.execute(ShowEvidence(rollout=number, guard="jobs"))
    assert told.text.splitlines()[0] == "jobs: jobs, harmless up to 1.1x"
    assert "10 %  20 of 1,000 against 90 of 9,000  2x (" in told.text.splitlines()[-1]
    (guard,) = told.data["guards"]
    assert guard["points"][-1]["treatment"] == {"total": 1000, "failed": 20}
    for each in range(2, 30):
        poll(lab, reading((1000 * each, 20 * each), (9000 * each, 90 * each)))
        if lab.look(number).rollout.phase.finished:
            break
    assert lab.look(number).rollout.phase is Phase.ROLLED_BACK
    assert lab.execute(ShowEvidence(rollout=number)).text.splitlines()[-1].endswith("harmful")
