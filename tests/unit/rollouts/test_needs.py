"""Is the world asked exactly what the next step wants to know?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import GUARD, START, plan_of, turn_on
from flagstaff.rollouts.needs import DeployedNeed, Needs, ReleasedNeed, needs
from flagstaff.rollouts.plan import (
    Approve,
    AwaitMerge,
    CheckDeployed,
    CheckReleased,
    DeleteFlag,
)
from flagstaff.rollouts.rollout import Cleanup, Phase, Rollout, StepStatus

CLEANUP = Cleanup(branch="b", commit="c" * 40, parts=(), files=1)


def at(action, **changes):
    rollout = Rollout.of(plan_of(action, guards=(GUARD,)))
    return replace(rollout, **{"phase": Phase.RUNNING, **changes})


CHECK = CheckDeployed(sha="abc", environments=("dev", "staging"))


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.COMPLETED, Phase.ROLLED_BACK])
def test_nothing_before_the_start_and_after_the_end(phase):
    assert needs(at(CHECK, phase=phase, watch_since=START)) == Needs()


def test_while_paused_only_the_guards():
    assert needs(at(CHECK, phase=Phase.PAUSED)) == Needs()
    assert needs(at(CHECK, phase=Phase.PAUSED, watch_since=START)) == Needs(guards=True)


@pytest.mark.parametrize(
    ("action", "changes", "expected"),
    [
        (CHECK, {}, Needs(deployed=DeployedNeed(sha="abc", environments=("dev", "staging")))),
        (DeleteFlag(environments=("dev",)), {}, Needs(policy=True)),
        (
            DeleteFlag(environments=("dev",)),
            {"merged": "m"},
            Needs(deployed=DeployedNeed(sha="m", environments=("dev",)), policy=True),
        ),
        (
            CheckReleased(request="!12", version="15.2"),
            {"merged": "m"},
            Needs(released=ReleasedNeed(request="!12", version="15.2")),
        ),
        (CheckReleased(), {"merged": "m"}, Needs(released=ReleasedNeed(request="m", version=""))),
        (CheckReleased(), {}, Needs()),
        (AwaitMerge(), {}, Needs()),
        (AwaitMerge(), {"cleanup": CLEANUP}, Needs(merged="c" * 40)),
        (Approve(), {}, Needs()),
        (turn_on("dev"), {}, Needs(policy=True)),
    ],
)
def test_of_each_kind_of_step(action, changes, expected):
    assert needs(at(action, **changes)) == expected


def test_guards_are_wanted_from_the_first_production_change_to_the_merge():
    assert needs(at(Approve(), watch_since=START)) == Needs(guards=True)
    assert needs(at(Approve(), watch_since=START, merged="m")) == Needs()


def after_check(*environments, by="", status=StepStatus.DONE):
    """A rollout whose first step saw the code in some places, and that turns on production next."""
    check = CheckDeployed(sha="abc", environments=environments)
    rollout = Rollout.of(plan_of(check, turn_on("staging"), turn_on("production")))
    for step, each, who in (("s1", status, by), ("s2", StepStatus.DONE, "")):
        rollout = rollout.with_state(replace(rollout.state(step), status=each, by=who))
    return replace(rollout, phase=Phase.RUNNING)


def test_a_change_wants_the_code_to_be_there_still_and_on_its_deploy_stage():
    found = needs(after_check("staging", "canary", "production"))
    there = DeployedNeed(sha="abc", environments=("canary", "production"))
    assert found == Needs(deployed=there, policy=True)


@pytest.mark.parametrize(
    "rollout",
    [
        after_check("staging"),
        after_check("production", by="ada"),
        after_check("production", status=StepStatus.SKIPPED),
    ],
)
def test_code_that_was_not_seen_there_is_not_asked_for(rollout):
    assert needs(rollout) == Needs(policy=True)
