"""Is a ramp the steps that one would write by hand?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from flagstaff.flags.change import PercentageOfActors, PercentageOfTime
from flagstaff.rollouts.checks import Ramp, ShareOf
from flagstaff.rollouts.plan import Bake, SetGate, Step, Summary
from flagstaff.rollouts.ramp import ramp_steps

HOUR = timedelta(hours=1)
LIKE = Step(
    id="ramp", stage="Ramp", title="Ramp up", action=Summary(), line=7, when="percentage < 5"
)


@pytest.mark.parametrize(
    ("by", "kind"),
    [
        (ShareOf.ACTORS, PercentageOfActors),
        (ShareOf.REQUEST, PercentageOfActors),
        (ShareOf.TIME, PercentageOfTime),
    ],
)
def test_each_percentage_is_set_and_held(by, kind):
    ramp = Ramp(
        environments=("production",),
        percentages=(Decimal("0.5"), Decimal(25)),
        dwell=HOUR,
        by=by,
    )
    steps = ramp_steps(ramp, LIKE)
    assert [(each.id, each.action) for each in steps] == [
        (
            "ramp-0-5",
            SetGate(environments=("production",), change=kind(value=Decimal("0.5"))),
        ),
        ("ramp-bake-0-5", Bake(duration=HOUR)),
        ("ramp-25", SetGate(environments=("production",), change=kind(value=Decimal(25)))),
        ("ramp-bake-25", Bake(duration=HOUR)),
    ]
    assert {(each.stage, each.line) for each in steps} == {("Ramp", 7)}
    assert [(each.when, each.requires) for each in steps] == [
        ("percentage < 5", ()),
        *[("", ("ramp-0-5",))] * 3,
    ]
