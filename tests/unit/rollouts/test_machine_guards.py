"""Does harm roll back, and does doubt hold?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from fakes import BLIND, CALM, GUARD, HARM, START, THIN, plan_of, preset, ramp, reading, turn_on
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import Post, RestoreFlag
from flagstaff.rollouts.event import (
    Aborted,
    EffectDone,
    EffectFailed,
    Observed,
    Paused,
    Promoted,
    Started,
)
from flagstaff.rollouts.guard import Guard, Verdict, judge
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AwaitMerge,
    Bake,
    CleanupPart,
    DeleteFlag,
    OpenCleanup,
    Preset,
)
from flagstaff.rollouts.rollout import Cleanup, Phase, Rollout, SavedGates, StepStatus

HOUR = timedelta(hours=1)
LOOK = Observed()
OTHER = Guard(name="other", logs=("*.log",), control=("A",), treatment=("B",))
BEFORE = (
    SavedGates(environment="dev", gates=Gates(boolean=True)),
    SavedGates(environment="staging", gates=None),
    SavedGates(environment="production", gates=Gates(actors=frozenset({"User:1"}))),
    SavedGates(environment="canary", gates=None),
)


def seen(*measurements, guard=GUARD):
    return Observed(judgements=tuple(judge(guard, each) for each in measurements))


def begun(*actions, **settings):
    settings = {"guards": (GUARD,), "production": ("production", "canary"), **settings}
    rollout = Rollout.of(plan_of(*actions, **settings), rollout_id=7)
    return advance(rollout, Started(by="ada", before=BEFORE), START)[0]


def run(rollout, *events, now=START):
    effects = ()
    for event in events:
        rollout, more = advance(rollout, event, now)
        effects += more
    return rollout, effects


def baking():
    """Return a rollout that has been opened to 10 % and is at its bake of one hour."""
    plan = (turn_on("dev"), turn_on("staging"), ramp(10), Bake(duration=HOUR), ramp(50))
    return run(begun(*plan, announce_to=("#ops",)), LOOK, LOOK, LOOK, LOOK)[0]


class TestVerdicts:
    @pytest.mark.parametrize(
        ("measurement", "verdict"),
        [
            (CALM, Verdict.PASS),
            (HARM, Verdict.FAIL),
            (THIN, Verdict.INCONCLUSIVE),
            (BLIND, Verdict.ERROR),
            (reading((10, 5), (100, 1)), Verdict.FAIL),
            (reading((10, 4), (100, 1)), Verdict.INCONCLUSIVE),
            (reading((50, 0), (1000, 0)), Verdict.PASS),
            (reading((1000, 30), (1000, 20)), Verdict.PASS),
            (reading((0, 0), (0, 0)), Verdict.INCONCLUSIVE),
        ],
    )
    def test_of_a_reading(self, measurement, verdict):
        assert judge(GUARD, measurement).verdict is verdict

    def test_without_a_control_nothing_passes_and_most_failing_is_harm(self):
        assert judge(GUARD, reading((50, 50), (0, 0))).verdict is Verdict.FAIL
        assert judge(GUARD, reading((500, 5), (0, 0))).verdict is Verdict.INCONCLUSIVE
        assert judge(GUARD, reading((500, 0), (0, 0))).verdict is Verdict.INCONCLUSIVE

    def test_the_evidence_has_the_numbers(self):
        assert judge(GUARD, HARM).evidence == (
            "40 of 100 jobs failed under the new names, 1 of 100 under the old: "
            "27.0x the rate, the limit is 2x"
        )
        assert judge(GUARD, THIN).evidence == "3 of 50 jobs seen under the new names"


class TestHolding:
    def test_time_alone_does_not_end_a_bake(self):
        for measurement in (THIN, BLIND):
            rollout, _ = run(baking(), seen(measurement), now=START + 2 * HOUR)
            assert (rollout.phase, rollout.current.id) == (Phase.RUNNING, "s4")
            assert "holding until every guard" in rollout.state("s4").note

    def test_every_guard_has_to_pass(self):
        rollout = baking()
        plan = plan_of(*(step.action for step in rollout.plan.steps), guards=(GUARD, OTHER))
        rollout = Rollout(
            id=7,
            plan=plan,
            phase=rollout.phase,
            states=rollout.states,
            watch_since=rollout.watch_since,
        )
        held, _ = run(rollout, seen(CALM), now=START + HOUR)
        assert held.current.id == "s4"

    def test_a_pass_goes_on_with_the_evidence(self):
        rollout, _ = run(baking(), seen(CALM), now=START + HOUR)
        assert rollout.state("s4").note.startswith("jobs: 1 of 100 jobs failed under the new")
        assert rollout.current.id == "s5"

    def test_a_pass_does_not_end_it_before_its_time(self):
        rollout = baking()
        assert run(rollout, seen(CALM), now=START + HOUR / 2) == (rollout, ())

    def test_a_person_can_end_the_holding(self):
        rollout, _ = run(baking(), seen(THIN), now=START + HOUR)
        rollout, _ = run(rollout, Promoted(step="s4", by="ada", reason="few jobs at night"))
        assert rollout.current.id == "s5"

    def test_nobody_looks_before_production_changes(self):
        rollout, _ = run(begun(turn_on("dev"), Bake(duration=HOUR)), LOOK, LOOK)
        rollout, _ = run(rollout, seen(HARM), now=START + HOUR)
        assert (rollout.phase, rollout.state("s2").status) == (Phase.RUNNING, StepStatus.DONE)


class TestRollingBack:
    def test_harm_restores_production_first_then_the_others_and_tells(self):
        rollout, effects = run(baking(), seen(HARM))
        assert (rollout.phase, rollout.finished_at) == (Phase.ROLLED_BACK, START)
        assert rollout.reason.startswith("guard jobs: 40 of 100")
        assert rollout.state("s4").status is StepStatus.FAILED
        *restored, post = effects
        assert [(e.environment, e.gates) for e in restored] == [
            ("production", BEFORE[2].gates),
            ("dev", BEFORE[0].gates),
            ("staging", None),
        ]
        assert all(isinstance(e, RestoreFlag) for e in restored)
        assert isinstance(post, Post)
        assert "rolled back in" in post.text
        assert len({e.key for e in effects}) == len(effects)

    def test_one_harmed_guard_of_several_is_enough(self):
        harmed = Observed(judgements=(judge(GUARD, CALM), judge(OTHER, HARM)))
        rollout, _ = run(baking(), harmed)
        assert rollout.reason.startswith("guard other")

    def test_harm_is_acted_on_while_paused(self):
        rollout, _ = run(baking(), Paused(by="ada", reason="lunch"), seen(HARM))
        assert rollout.phase is Phase.ROLLED_BACK

    def test_harm_is_acted_on_while_a_person_is_waited_for(self):
        rollout, _ = run(begun(ramp(10), Approve()), LOOK, LOOK)
        assert rollout.phase is Phase.WAITING
        rollout, effects = run(rollout, seen(HARM))
        assert (rollout.phase, len(effects)) == (Phase.ROLLED_BACK, 1)

    def test_harm_is_acted_on_after_a_step_failed(self):
        announce = Announce(channels=("#ops",), text="Hello")
        rollout, _ = run(
            begun(ramp(10), announce), LOOK, LOOK, EffectFailed(step="s2", error="404")
        )
        rollout, effects = run(rollout, seen(HARM))
        assert [e.environment for e in effects] == ["production"]

    def test_only_what_this_rollout_touched_is_restored(self):
        rollout, _ = run(
            begun(
                preset("s1", turn_on("dev"), Preset.DONE),
                preset("s2", turn_on("staging"), Preset.SKIPPED),
                ramp(10),
                turn_on("canary"),
            ),
            LOOK,
        )
        _, effects = run(rollout, Aborted(by="ada", reason="enough"))
        assert [e.environment for e in effects] == ["production"]

    def test_before_anything_changed_there_is_nothing_to_restore_or_tell(self):
        rollout = begun(Approve(), ramp(10), announce_to=("#ops",))
        rollout, effects = run(rollout, LOOK, Aborted(by="ada", reason="enough"))
        assert (rollout.phase, rollout.reason, effects) == (
            Phase.ROLLED_BACK,
            "ada: enough",
            (),
        )

    def test_a_deleted_flag_comes_back(self):
        rollout, _ = run(
            begun(DeleteFlag(environments=("dev", "production")), Approve()), LOOK, LOOK
        )
        _, effects = run(rollout, Aborted(by="ada", reason="still used"))
        assert [(e.environment, e.gates) for e in effects] == [
            ("production", BEFORE[2].gates),
            ("dev", BEFORE[0].gates),
        ]

    def test_a_rollback_happens_once(self):
        rollout, _ = run(baking(), seen(HARM))
        assert run(rollout, seen(HARM), Aborted(by="ada", reason="")) == (rollout, ())


def test_after_the_merge_nobody_decides_by_guards_any_more():
    cleanup = Cleanup(branch="b", commit="c" * 40, parts=(CleanupPart.REFERENCES,), files=1)
    rollout, _ = run(
        begun(ramp(100), OpenCleanup(part=CleanupPart.REFERENCES), AwaitMerge(), Approve()),
        LOOK,
        LOOK,
        EffectDone(step="s2", cleanup=cleanup),
        LOOK,
    )
    assert rollout.watching
    rollout, _ = run(rollout, Observed(merged="m" * 40))
    assert not rollout.watching
    rollout, effects = run(rollout, seen(HARM))
    assert (rollout.phase, effects) == (Phase.WAITING, ())
