"""Does a rollout stop when a person closes its flag, whatever it would do next?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fakes import plan_of, ramp
from flagstaff.commands.model import DeleteFlag, ResumeRollout, SetFlag
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.rollout import Phase

PLAN = plan_of(ramp(10), Bake(duration=timedelta(hours=1)), ramp(50))


def change(value):
    return PercentageOfActors(value=Decimal(value))


@pytest.fixture
def at_ten(lab):
    number = lab.added(PLAN)
    lab.engine.tick()
    assert lab.look(number).rollout.percentage == 10.0
    return number


def told(lab, ada, command):
    return lab.services.execute(command, ada).text


@pytest.mark.parametrize(
    "closing",
    [
        SetFlag(flag="new_navigation", environments=("production",), change=Boolean(value=False)),
        SetFlag(flag="new_navigation", environments=("production",), change=change(5)),
        DeleteFlag(flag="new_navigation", environments=("production",)),
    ],
)
def test_what_a_person_closes_stays_closed(lab, ada, at_ten, closing):
    text = told(lab, ada, closing)
    assert f"rollout {at_ten} is paused" in text
    assert f"flagstaff rollout resume {at_ten}" in text
    lab.clock.advance(hours=2)
    lab.engine.tick()
    rollout = lab.look(at_ten).rollout
    assert (rollout.phase, rollout.percentage) == (Phase.PAUSED, 10.0)
    assert "ada closed the flag in production" in rollout.reason
    lab.services.execute(ResumeRollout(rollout=at_ten, reason="it was something else"), ada)
    for _ in range(3):
        lab.clock.advance(hours=2)
        lab.engine.tick()
    assert lab.look(at_ten).rollout.percentage == 50.0


@pytest.mark.parametrize(
    "harmless",
    [
        SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=False)),
        SetFlag(flag="new_navigation", environments=("production",), change=change(20)),
        SetFlag(
            flag="new_navigation",
            environments=("production",),
            change=Actors(ids=("User:1",), value=True),
        ),
    ],
)
def test_any_other_change_lets_it_go_on(lab, ada, at_ten, harmless):
    assert f"rollout {at_ten} is running for this flag" in told(lab, ada, harmless)
    assert lab.look(at_ten).rollout.phase is Phase.RUNNING


def test_a_dry_run_pauses_nothing(lab, ada, at_ten):
    off = SetFlag(flag="new_navigation", environments=("production",), change=Boolean(value=False))
    assert "is paused" in lab.services.execute(off, ada, dry_run=True).text
    assert lab.look(at_ten).rollout.phase is Phase.RUNNING
