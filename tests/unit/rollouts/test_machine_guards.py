"""Does harm roll back, and does doubt hold?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import (
    BLIND,
    CALM,
    CALMER,
    GUARD,
    HARM,
    START,
    THIN,
    plan_of,
    preset,
    ramp,
    reading,
    turn_on,
)
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
from flagstaff.rollouts.guard import Arm, Guard, Response, Standing, Verdict
from flagstaff.rollouts.judging import judgements
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
from flagstaff.rollouts.query import Query
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
    return Observed(measurements=tuple(replace(each, guard=guard.name) for each in measurements))


def judged(rollout, now=START):
    return judgements(rollout, now)[0]


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


@pytest.mark.parametrize(
    ("change", "compared"),
    [(ramp(95), True), (ramp("97.5"), True), (ramp(50), False), (turn_on("production"), False)],
)
def test_those_held_back_are_compared_with_however_few_they_are(change, compared):
    rollout, _ = run(begun(change, Bake(duration=HOUR)), LOOK)
    few = reading((60_000, 60), (1_500, 1))
    said = judged(run(rollout, seen(few))[0])
    assert ("against 1 of 1,500" in said.evidence) is compared


def test_harm_is_found_by_comparing_with_those_held_back():
    rollout, _ = run(begun(ramp(95), Bake(duration=HOUR)), LOOK)
    rollout, _ = run(rollout, seen(reading((60_000, 1_800), (3_000, 30))))
    assert rollout.phase is Phase.ROLLED_BACK
    assert "1,800 of 60,000 jobs against 30 of 3,000" in rollout.reason


SLOW = replace(
    GUARD,
    name="slow over 250 ms",
    query=Query(source="main", total="seconds_bucket", slower_than=0.25),
    counts="requests",
    slower_than=0.25,
    harm_above=0.99,
)


def test_a_guard_on_durations_rolls_back_and_says_what_took_too_long():
    rollout = run(begun(ramp(10), Bake(duration=HOUR), guards=(SLOW,)), LOOK)[0]
    four = START + timedelta(minutes=4)
    rollout, _ = run(rollout, seen(reading((900, 490), (8_100, 2_800)), guard=SLOW), now=four)
    assert rollout.phase is Phase.ROLLED_BACK
    assert rollout.reason.startswith(
        "Rolled back after 4 min at 10 %: slow over 250 ms with the flag on 1.5"
    )
    assert "490 of 900 requests took over 250 ms against 2,800 of 8,100" in rollout.reason
    assert rollout.reason.endswith("About 179 extra slow requests reached users.")


@pytest.mark.parametrize(
    ("bad", "bound", "words", "extra"),
    [
        ("retried", 0.0, "490 of 900 jobs were tried again against 2,800 of 8,100", "retries"),
        ("waits", 10.0, "490 of 900 jobs waited over 10 s against 2,800 of 8,100", "late jobs"),
        ("jobs", 10.0, "490 of 900 jobs took over 10 s against 2,800 of 8,100", "slow jobs"),
        ("jobs", 0.0, "490 of 900 jobs against 2,800 of 8,100", "failures"),
    ],
)
def test_what_workers_count_is_called_what_it_is(bad, bound, words, extra):
    query = Query(source="flagstaff", bad=bad, flag="rename", slower_than=bound)
    guard = replace(GUARD, name="notify", query=query, counts="jobs", slower_than=bound)
    rollout = run(begun(ramp(10), Bake(duration=HOUR), guards=(guard,)), LOOK)[0]
    rollout, _ = run(rollout, seen(reading((900, 490), (8_100, 2_800)), guard=guard))
    assert rollout.phase is Phase.ROLLED_BACK
    assert words in rollout.reason
    assert rollout.reason.endswith(f"extra {extra} reached users.")


@pytest.mark.parametrize(("slow", "goes"), [(1_990, True), (1_000, False)])
def test_where_nobody_is_left_to_compare_with_many_slow_ones_are_no_harm(slow, goes):
    rollout = run(begun(turn_on("production"), Bake(duration=HOUR), guards=(SLOW,)), LOOK)[0]
    rollout, _ = run(rollout, seen(reading((2_000, slow), (0, 0)), guard=SLOW))
    assert rollout.phase is not Phase.ROLLED_BACK or goes
    assert (
        f"{slow:,} of 2,000 requests with the flag on took over 250 ms" in judged(rollout).evidence
    )


class TestVerdicts:
    @pytest.mark.parametrize(
        ("measurement", "verdict"),
        [
            (CALM, Verdict.PASS),
            (THIN, Verdict.INCONCLUSIVE),
            (reading((10, 4), (100, 1)), Verdict.INCONCLUSIVE),
            (reading((500, 0), (5000, 0)), Verdict.PASS),
            (reading((100, 3), (1000, 20)), Verdict.INCONCLUSIVE),
            (reading((0, 0), (0, 0)), Verdict.INCONCLUSIVE),
        ],
    )
    def test_of_a_reading(self, measurement, verdict):
        assert judged(run(baking(), seen(measurement))[0]).verdict is verdict

    @pytest.mark.parametrize("measurement", [HARM, reading((10, 5), (100, 1))])
    def test_harm(self, measurement):
        rollout, _ = run(baking(), seen(measurement))
        assert rollout.phase is Phase.ROLLED_BACK
        assert judged(rollout).verdict is Verdict.FAIL

    def test_without_data_there_is_none(self):
        rollout = baking()
        for minutes in range(3):
            rollout, _ = run(rollout, seen(BLIND), now=START + timedelta(minutes=minutes))
        said = judged(rollout)
        assert (said.verdict, said.standing) == (Verdict.ERROR, Standing.NO_DATA)
        assert said.evidence == "jobs: no data: no file matches log/*.jsonl"
        assert run(rollout, seen(BLIND), now=START + HOUR / 2) == (rollout, ())
        rollout, _ = run(rollout, seen(CALM), now=START + HOUR / 2)
        assert judged(rollout).verdict is Verdict.PASS

    def test_the_evidence_has_the_numbers(self):
        rollout, _ = run(baking(), seen(HARM), now=START + timedelta(minutes=4))
        assert rollout.reason == (
            "Rolled back after 4 min at 10 %: jobs with the flag on 10.8x flag off "
            "(95 % confidence 2.6x or more), 43 of 3,100 jobs against 4 of 3,100; evidence "
            "more than 10,000 : 1, limit 20 : 1. About 39 extra failures."
        )


class TestPolls:
    def test_one_is_due_every_fifteen_seconds(self):
        rollout, _ = run(baking(), seen(THIN))
        later = START + timedelta(seconds=14)
        assert run(rollout, seen(CALM), now=later) == (rollout, ())
        later = START + timedelta(seconds=15)
        assert judged(run(rollout, seen(CALM), now=later)[0]).measurement.treatment.total == 1000

    def test_reading_the_same_again_changes_nothing(self):
        rollout, _ = run(baking(), seen(CALM))
        for minutes in range(1, 50):
            assert run(rollout, seen(CALM), now=START + timedelta(minutes=minutes)) == (rollout, ())

    def test_a_change_in_production_closes_the_poll_before_it(self):
        rollout, _ = run(baking(), seen(CALM), now=START + HOUR)
        assert rollout.current.id == "s5"
        more = seen(reading((1010, 1), (1040, 3)))
        rollout, _ = run(rollout, more, now=START + HOUR + timedelta(seconds=1))
        watch = rollout.watches[0]
        assert (watch.evidence.stage, watch.treatment.total) == (1, 1010)
        assert rollout.production_changes[-1].id == "s5"

    def test_a_new_stage_begins_without_the_safety_of_the_last(self):
        plan = (ramp(10), Bake(duration=HOUR), ramp(50), Bake(duration=HOUR), Approve())
        rollout, _ = run(begun(*plan), LOOK, LOOK)
        rollout, _ = run(rollout, seen(CALM), seen(CALM), seen(CALM), now=START + HOUR)
        assert rollout.current.id == "s4"
        for events in ((LOOK,), (seen(CALM), seen(CALM))):
            held, _ = run(rollout, *events, now=START + 3 * HOUR)
            assert held.current.id == "s4"
            assert "more jobs under the new names" in held.state("s4").note
        rollout, _ = run(rollout, seen(CALMER), now=START + 3 * HOUR)
        assert rollout.current.id == "s5"

    def test_logs_that_are_gone_are_no_data_and_count_anew(self):
        rollout, _ = run(baking(), seen(CALM))
        rollout, _ = run(rollout, seen(reading((400, 0), (400, 0))), now=START + HOUR / 4)
        assert judged(rollout).standing is Standing.NO_DATA
        assert "some are gone" in judged(rollout).evidence
        rollout, _ = run(rollout, seen(reading((500, 1), (500, 0))), now=START + HOUR / 2)
        treatment = rollout.watches[0].evidence.treatment
        assert (treatment.total, treatment.bad) == (1100, 2)


class TestWithoutAControl:
    def everybody(self):
        return run(begun(turn_on("production"), Bake(duration=HOUR), Approve()), LOOK, LOOK)[0]

    def test_most_failing_is_harm(self):
        rollout, _ = run(self.everybody(), seen(reading((7, 7), (0, 0))))
        assert rollout.phase is Phase.ROLLED_BACK
        assert "7 of 7 jobs under the new names failed and next to none ran" in rollout.reason
        assert "at 100 %" in rollout.reason

    @pytest.mark.parametrize("measurement", [reading((4, 4), (0, 0)), reading((500, 100), (0, 0))])
    def test_a_few_or_a_rate_that_may_be_usual_is_not(self, measurement):
        rollout, _ = run(self.everybody(), seen(measurement), now=START + HOUR)
        assert rollout.current.id == "s2"

    def test_next_to_nothing_failing_is_safe(self):
        rollout, _ = run(self.everybody(), seen(reading((500, 0), (0, 0))), now=START + HOUR)
        assert rollout.current.id == "s3"
        assert "nothing is known of the old names before" in rollout.state("s2").note

    def test_as_much_failing_as_the_day_before_is_safe_and_said_so(self):
        measured = replace(reading((800, 80), (0, 0)), baseline=Arm(total=9000, failed=900))
        rollout, _ = run(self.everybody(), seen(measured), now=START + HOUR)
        assert rollout.current.id == "s3"
        assert "compared with 900 of 9,000 under the old ones before" in rollout.state("s2").note

    def test_more_failing_than_the_day_before_is_not(self):
        measured = replace(reading((800, 140), (0, 0)), baseline=Arm(total=9000, failed=900))
        rollout, _ = run(self.everybody(), seen(measured), now=START + HOUR)
        assert rollout.current.id == "s2"

    def test_if_asked_for_far_more_than_the_day_before_holds_and_says_so(self):
        measured = replace(reading((4000, 12), (0, 0)), baseline=Arm(total=90000, failed=9))
        rollout = self.everybody()
        guard = replace(GUARD, against_baseline=True)
        asked = replace(rollout, plan=replace(rollout.plan, guards=(guard,)))
        assert run(rollout, seen(measured), now=START + HOUR)[0].current.id == "s3"
        held, _ = run(asked, seen(measured), now=START + HOUR)
        assert (held.current.id, held.phase) == ("s2", Phase.RUNNING)
        assert "far more than before" in held.state("s2").note

    def test_the_day_before_is_no_control(self):
        """Ten times the failures of yesterday: perhaps something else broke today."""
        measured = replace(reading((200, 20), (0, 0)), baseline=Arm(total=9000, failed=90))
        rollout, _ = run(self.everybody(), seen(measured), now=START + HOUR)
        assert rollout.phase is Phase.RUNNING


class TestWhatHarmLeadsTo:
    def with_guard(self, **changes):
        rollout = baking()
        guard = replace(GUARD, **changes)
        return replace(rollout, plan=replace(rollout.plan, guards=(guard,)))

    def test_a_dry_run_is_shown_and_never_decides(self):
        rollout, effects = run(self.with_guard(dry_run=True), seen(HARM), now=START + HOUR)
        assert (rollout.current.id, effects) == ("s5", ())
        assert judged(rollout).verdict is Verdict.FAIL

    def test_holding_ends_no_wait_and_tells_once(self):
        rollout, effects = run(self.with_guard(on_harm=Response.HOLD), seen(HARM))
        (post,) = effects
        assert post.text == (
            f"`new_navigation`: {judged(rollout).evidence}; "
            "the rollout stays where it is until a person promotes or aborts it"
        )
        rollout, effects = run(rollout, seen(HARM), seen(HARM), now=START + HOUR)
        assert (rollout.current.id, rollout.phase, effects) == ("s4", Phase.RUNNING, ())
        assert "jobs with the flag on" in rollout.state("s4").note
        rollout, _ = run(rollout, Promoted(step="s4", by="ada", reason="known"))
        assert rollout.current.id == "s5"
        assert "43 of 3,100 jobs" in rollout.state("s4").note
        assert judged(rollout).standing is Standing.HARMFUL

    def test_notifying_tells_and_goes_on(self):
        rollout, effects = run(
            self.with_guard(on_harm=Response.NOTIFY), seen(HARM), now=START + HOUR
        )
        assert rollout.current.id == "s5"
        assert effects[0].text.endswith("the rollout goes on: the guard only notifies")

    def test_two_guards_prove_together_what_neither_does_alone(self):
        rollout = baking()
        guards = (GUARD, replace(OTHER, weight=1))
        rollout = replace(rollout, plan=replace(rollout.plan, guards=guards))
        doubtful = reading((60, 9), (600, 20))
        one = Observed(measurements=(doubtful, replace(THIN, guard="other")))
        both = Observed(measurements=(doubtful, replace(doubtful, guard="other")))
        assert run(rollout, one)[0].phase is Phase.RUNNING
        rolled = run(rollout, both)[0]
        assert rolled.phase is Phase.ROLLED_BACK
        assert "All guards together: evidence" in rolled.reason

    @pytest.mark.parametrize(("then", "step"), [(Response.HOLD, "s4"), (Response.ADVANCE, "s5")])
    def test_doubt_for_too_long(self, then, step):
        rollout = self.with_guard(max_time=2 * HOUR, on_inconclusive=then)
        rollout, _ = run(rollout, seen(THIN), now=START + HOUR)
        assert rollout.state("s4").note == (
            "time is up; holding: jobs needs about 576 more jobs under the new names"
        )
        rollout, _ = run(rollout, seen(THIN), now=START + 3 * HOUR)
        assert rollout.current.id == step
        said = "unproven (jobs)" if then is Response.ADVANCE else "not settled within 2.0 h"
        assert said in rollout.state("s4").note

    def test_what_is_not_required_is_not_waited_for(self):
        rollout, _ = run(self.with_guard(required=False), seen(BLIND), now=START + HOUR)
        assert rollout.current.id == "s5"


class TestHolding:
    def test_time_alone_does_not_end_a_bake(self):
        for measurement in (THIN, BLIND):
            rollout, _ = run(baking(), seen(measurement), now=START + 2 * HOUR)
            assert (rollout.phase, rollout.current.id) == (Phase.RUNNING, "s4")
            assert "time is up; holding: jobs" in rollout.state("s4").note

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
        assert "1 of 1,000 jobs against 1 of 1,000" in rollout.state("s4").note
        assert rollout.current.id == "s5"

    def test_a_pass_does_not_end_it_before_its_time(self):
        rollout = baking()
        rollout, effects = run(rollout, seen(CALM), now=START + HOUR / 2)
        assert (rollout.current.id, effects) == ("s4", ())

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
        assert rollout.reason.startswith("Rolled back after 0 s at 10 %: jobs with")
        assert rollout.state("s4").status is StepStatus.FAILED
        *restored, post = effects
        assert [(e.environment, e.gates) for e in restored] == [
            ("production", BEFORE[2].gates),
            ("dev", BEFORE[0].gates),
            ("staging", None),
        ]
        assert all(isinstance(e, RestoreFlag) for e in restored)
        assert isinstance(post, Post)
        assert "was rolled back in dev, staging, production after 0 s at 10 %" in post.text
        assert len({e.key for e in effects}) == len(effects)

    def test_one_harmed_guard_of_several_is_enough(self):
        rollout = baking()
        rollout = replace(rollout, plan=replace(rollout.plan, guards=(GUARD, OTHER)))
        harmed = Observed(measurements=(CALM, replace(HARM, guard="other")))
        rollout, _ = run(rollout, harmed)
        assert ": other with the flag on" in rollout.reason

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
