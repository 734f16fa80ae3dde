"""Is it shown where rollouts stand?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from fakes import CALM, GUARD, plan_of, ramp, turn_on
from flagstaff.commands.model import AbortRollout, ListRollouts, PauseRollout, ShowRollout
from flagstaff.errors import NotFound
from flagstaff.rollouts.event import EffectFailed, Observed
from flagstaff.rollouts.plan import Announce, Approve, Bake
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.store.leases import Claimant


@pytest.fixture
def run(services, ada):
    return lambda command: services.execute(command, ada)


@pytest.fixture
def observe(services, look):
    def step(number, times=1):
        for _ in range(times):
            with services.unit(ENGINE, write=True) as unit:
                running.step(unit, look(number), Observed())

    return step


def test_without_any_the_first_command_is_named(run):
    assert run(ListRollouts()).next == "flagstaff rollout import ISSUE.md"
    assert run(ListRollouts(active=True)).text == "no rollout is under way"


def test_the_list_is_newest_first_and_can_leave_out_the_finished(run, added):
    first = added(plan_of(Approve()))
    run(AbortRollout(rollout=first, reason="enough"))
    second = added(plan_of(turn_on("dev"), Approve()), begin=False)
    outcome = run(ListRollouts())
    assert outcome.text.splitlines() == [
        f"rollout {second}  new_navigation  pending  at s1",
        f"rollout {first}  new_navigation  rolled back: ada: enough",
    ]
    active = run(ListRollouts(active=True)).data["rollouts"]
    assert [each["rollout"] for each in active] == [second]
    assert (active[0]["steps"], active[0]["steps_finished"]) == (2, 0)


def test_one_is_shown_step_by_step_with_its_guards(run, added, observe, services):
    number = added(plan_of(ramp(10), Bake(duration=timedelta(hours=1)), Approve(), guards=(GUARD,)))
    observe(number, 2)
    with services.unit(ENGINE, write=True) as unit:
        running.step(unit, running.find(unit, number), Observed(measurements=(CALM,)))
    outcome = run(ShowRollout(rollout=number))
    assert outcome.text.splitlines()[2:] == [
        "",
        "Stage",
        "  ✓ Step 1",
        "      new_navigation set to 10 --actors in production",
        "  ▸ Step 2",
        "      until 2026-03-02 10:00 UTC at the earliest",
        "  · Step 3",
        "",
        "Guards",
        (
            "  jobs: pass, "
            "jobs with the flag on 1x flag off (95 % confidence 0x or more), "
            "1 of 1,000 jobs against 1 of 1,000; evidence of safety 141 : 1, asked for 10 : 1"
        ),
    ]
    assert [step["status"] for step in outcome.data["steps"]] == ["done", "active", "pending"]
    assert outcome.data["guards"][0]["treatment"] == {"total": 1000, "failed": 1}


def test_what_a_person_would_do_next_is_named(run, added, observe):
    number = added(plan_of(Approve()), begin=False)

    def following():
        return run(ShowRollout(rollout=number)).next

    assert following() == f"flagstaff rollout start {number}"
    run(AbortRollout(rollout=number, reason="x"))
    assert following() == ""
    number = added(plan_of(Approve()))
    observe(number)
    assert following() == f"flagstaff rollout approve {number}"
    run(PauseRollout(rollout=number))
    assert following() == f"flagstaff rollout resume {number}"


def test_after_a_failed_step_one_tries_again(run, added, observe, services, look):
    number = added(plan_of(Announce(channels=("#ops",), text="x"), turn_on("dev")))
    observe(number)
    with services.unit(ENGINE, write=True) as unit:
        running.step(unit, look(number), EffectFailed(step="s1", error="404"))
    assert run(ShowRollout(rollout=number)).next == f"flagstaff rollout retry {number}"


def test_a_failed_effect_takes_one_line_of_the_list(run, added, observe, services, look):
    number = added(plan_of(Announce(channels=("#ops",), text="x")))
    observe(number)
    error = NotFound("there is no channel #ops\nin that chat", hint="make it\nor name another")
    with services.unit(ENGINE, write=True) as unit:
        claimant = Claimant(name="test", term=timedelta(seconds=10), wall=unit.wall)
        outgoing, _ = running.effect(unit, *running.claim_effect(unit, claimant))
        running.fail_effect(unit, outgoing, error, again_at=None)
    shown = "there is no channel #ops; in that chat; make it; or name another"
    assert shown in look(number).rollout.reason
    assert len(run(ListRollouts()).text.splitlines()) == 1


def test_an_unknown_one_is_not_found(run):
    with pytest.raises(NotFound, match="no rollout 9"):
        run(ShowRollout(rollout=9))
