"""Does a rollout do the right thing next, and only that?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import GUARD, HARM, START, plan_of, preset, ramp, turn_on
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import ChangeFlag, CloseIssue, Post, RemoveFlag, WriteCleanup
from flagstaff.rollouts.event import (
    Aborted,
    Answer,
    Approved,
    EffectDone,
    EffectFailed,
    Observed,
    Paused,
    Promoted,
    Rejected,
    Resumed,
    Retried,
    Skipped,
    Started,
)
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AskPerson,
    AwaitMerge,
    Bake,
    CheckDeployed,
    CheckReleased,
    CleanupPart,
    Close,
    CloseTarget,
    DeleteFlag,
    OpenCleanup,
    Preset,
    Summary,
)
from flagstaff.rollouts.rollout import Cleanup, Phase, Rollout, SavedGates, StepStatus

LOOK = Observed()
YES, NO = Answer(yes=True, text="it is there"), Answer(yes=False, text="not there yet")
HOUR = timedelta(hours=1)
CLEANUP = Cleanup(
    branch="cleanup/new_navigation",
    commit="c" * 40,
    parts=(CleanupPart.REFERENCES, CleanupPart.DEFINITION),
    files=3,
)


def begun(*actions, before=(), **settings):
    rollout = Rollout.of(plan_of(*actions, **settings), rollout_id=7)
    return advance(rollout, Started(by="ada", before=before), START)[0]


def run(rollout, *events, now=START):
    """Apply events one after the other; return the rollout and all effects."""
    effects = ()
    for event in events:
        rollout, more = advance(rollout, event, now)
        effects += more
    return rollout, effects


def status(rollout, step="s1"):
    return rollout.state(step).status


class TestBeginning:
    def test_nothing_moves_before_the_start(self):
        rollout = Rollout.of(plan_of(turn_on("dev")))
        for event in (LOOK, Approved(step="s1", by="ada"), Paused(by="ada", reason="")):
            assert advance(rollout, event, START) == (rollout, ())

    def test_the_start_remembers_when_and_what_was_before(self):
        before = (SavedGates(environment="dev", gates=None),)
        rollout = begun(turn_on("dev"), before=before)
        assert (rollout.phase, rollout.started_at, rollout.before) == (
            Phase.RUNNING,
            START,
            before,
        )

    def test_a_second_start_does_not_change_what_was_before(self):
        rollout = begun(turn_on("dev"))
        again = Started(by="bob", before=(SavedGates(environment="dev", gates=Gates()),))
        assert advance(rollout, again, START + HOUR) == (rollout, ())

    def test_one_that_never_began_can_be_given_up(self):
        rollout = Rollout.of(plan_of(turn_on("dev"), announce_to=("#ops",)))
        ended, effects = advance(rollout, Aborted(by="ada", reason="a typo"), START)
        assert (ended.phase, effects) == (Phase.ROLLED_BACK, ())

    def test_what_the_issue_says_is_done_or_skipped_is_taken_over(self):
        rollout = begun(
            preset("s1", turn_on("dev"), Preset.DONE),
            preset("s2", turn_on("staging"), Preset.SKIPPED, "no such cluster"),
            turn_on("production"),
        )
        assert (status(rollout), status(rollout, "s2")) == (StepStatus.DONE, StepStatus.SKIPPED)
        assert rollout.state("s2").note == "no such cluster"
        _, effects = run(rollout, LOOK)
        assert [effect.environment for effect in effects] == ["production"]

    def test_an_empty_plan_is_complete_at_once(self):
        rollout, _ = run(begun(), LOOK)
        assert (rollout.phase, rollout.finished_at) == (Phase.COMPLETED, START)


class TestSetting:
    def test_every_environment_changes_under_a_key_of_its_own(self):
        rollout, effects = run(begun(turn_on("dev", "staging")), LOOK)
        assert [(type(e), e.environment, e.key) for e in effects] == [
            (ChangeFlag, "dev", "7/s1/0/dev"),
            (ChangeFlag, "staging", "7/s1/0/staging"),
        ]
        assert status(rollout) is StepStatus.DONE
        assert rollout.state("s1").note == "new_navigation set to true in dev, staging"

    def test_only_production_is_announced_and_watched(self):
        rollout, effects = run(
            begun(turn_on("dev"), ramp(10), guards=(GUARD,), announce_to=("#prod", "#team")),
            LOOK,
        )
        assert not rollout.watching
        assert [type(effect) for effect in effects] == [ChangeFlag]
        rollout, effects = run(rollout, LOOK, now=START + HOUR)
        assert rollout.watch_since == START + HOUR
        assert [type(effect) for effect in effects] == [ChangeFlag, Post]
        assert effects[1].channels == ("#prod", "#team")
        assert "10 --actors in production" in effects[1].text

    def test_watching_counts_from_the_first_change(self):
        rollout, _ = run(begun(ramp(10), ramp(50)), LOOK)
        rollout, _ = run(rollout, LOOK, now=START + HOUR)
        assert rollout.watch_since == START

    def test_one_look_moves_one_step(self):
        _, effects = run(begun(turn_on("dev"), turn_on("staging")), LOOK)
        assert len(effects) == 1


class TestWaiting:
    def test_a_bake_lasts_its_length(self):
        rollout, _ = run(begun(Bake(duration=HOUR)), LOOK)
        assert rollout.state("s1").until == START + HOUR
        early, _ = run(rollout, LOOK, now=START + HOUR - timedelta(microseconds=1))
        assert early == rollout
        late, _ = run(rollout, LOOK, now=START + HOUR)
        assert status(late) is StepStatus.DONE

    def test_a_pause_stops_its_clock(self):
        rollout, _ = run(begun(Bake(duration=HOUR)), LOOK)
        rollout, _ = run(rollout, Paused(by="ada", reason="lunch"), now=START + HOUR / 2)
        rollout, effects = run(rollout, LOOK, now=START + 9 * HOUR)
        assert (rollout.phase, status(rollout), effects) == (Phase.PAUSED, StepStatus.ACTIVE, ())
        rollout, _ = run(rollout, Resumed(by="ada"), now=START + 10 * HOUR)
        assert rollout.state("s1").until == START + 10.5 * HOUR
        assert rollout.phase is Phase.RUNNING
        rollout, _ = run(rollout, LOOK, now=START + 10.5 * HOUR)
        assert status(rollout) is StepStatus.DONE

    def test_a_second_pause_does_not_count_twice(self):
        rollout, _ = run(begun(Bake(duration=HOUR)), LOOK, Paused(by="ada", reason="a"))
        rollout, _ = run(rollout, Paused(by="bob", reason="b"), now=START + HOUR)
        assert (rollout.paused_at, rollout.reason) == (START, "ada: a")

    def test_it_can_be_ended_early(self):
        rollout, _ = run(begun(Bake(duration=HOUR), turn_on("dev")), LOOK)
        rollout, _ = run(rollout, Promoted(step="s1", by="ada", reason="quiet"))
        assert rollout.state("s1").note == "ended early by ada: quiet"
        assert rollout.current.id == "s2"

    def test_ending_one_early_does_not_end_the_next(self):
        rollout, _ = run(begun(Bake(duration=HOUR), Bake(duration=HOUR)), LOOK)
        promoted = Promoted(step="s1", by="ada", reason="quiet")
        once, _ = run(rollout, promoted)
        assert run(once, promoted) == (once, ())
        assert status(once, "s2") is StepStatus.PENDING

    def test_one_that_has_not_begun_cannot_be_ended_early(self):
        rollout = begun(Approve(), Bake(duration=HOUR))
        assert run(rollout, Promoted(step="s2", by="ada", reason="")) == (rollout, ())
        rollout = begun(Bake(duration=HOUR), Bake(duration=HOUR))
        assert run(rollout, Promoted(step="s2", by="ada", reason="")) == (rollout, ())

    def test_nothing_but_a_bake_is_ended_early(self):
        rollout = begun(Approve(), turn_on("production"))
        assert run(rollout, Promoted(step="s1", by="ada", reason="")) == (rollout, ())


@pytest.mark.parametrize(
    ("action", "field"),
    [
        (CheckDeployed(sha="abc123", environments=("dev",)), "deployed"),
        (CheckReleased(request="abc123", version="15.2"), "released"),
    ],
)
class TestChecks:
    def test_a_no_and_no_answer_hold_and_say_why(self, action, field):
        rollout, _ = run(begun(action), LOOK)
        assert rollout.state("s1").note == "waiting for an answer"
        rollout, _ = run(rollout, Observed(**{field: NO}))
        assert (status(rollout), rollout.state("s1").note) == (StepStatus.ACTIVE, NO.text)
        assert rollout.phase is Phase.RUNNING

    def test_a_yes_goes_on(self, action, field):
        rollout, _ = run(begun(action), Observed(**{field: YES}))
        assert (status(rollout), rollout.state("s1").note) == (StepStatus.DONE, YES.text)

    def test_the_same_answer_again_changes_nothing(self, action, field):
        rollout, _ = run(begun(action), Observed(**{field: NO}))
        assert run(rollout, Observed(**{field: NO}), now=START + HOUR) == (rollout, ())


class TestCodeThatIsTakenBack:
    def test_a_change_waits_until_the_code_is_there_again(self):
        check = CheckDeployed(sha="abc123", environments=("production",))
        rollout, _ = run(begun(check, turn_on("production")), Observed(deployed=YES))
        gone = Answer(yes=False, text="`abc123` is not yet deployed to production (runs def456)")
        rollout, effects = run(rollout, Observed(deployed=gone, policy=YES), now=START + HOUR)
        assert (status(rollout, "s2"), effects) == (StepStatus.ACTIVE, ())
        assert rollout.state("s2").note == (
            "`abc123` is not yet deployed to production (runs def456), where it was before; "
            "the change waits until it is again"
        )
        rollout, effects = run(rollout, Observed(deployed=YES, policy=YES), now=START + 2 * HOUR)
        assert status(rollout, "s2") is StepStatus.DONE
        assert [type(effect) for effect in effects] == [ChangeFlag]


@pytest.mark.parametrize("action", [Approve(), AskPerson()])
class TestPeople:
    def test_the_step_waits_for_a_yes_and_the_next_look_goes_on(self, action):
        rollout, _ = run(begun(action), LOOK)
        assert (rollout.phase, status(rollout)) == (Phase.WAITING, StepStatus.WAITING)
        rollout, _ = run(rollout, Approved(step="s1", by="bob", reason="looks good"))
        assert status(rollout) is StepStatus.WAITING
        rollout, _ = run(rollout, LOOK, now=START + HOUR)
        state = rollout.state("s1")
        assert (state.status, state.by, state.finished_at) == (
            StepStatus.DONE,
            "bob",
            START + HOUR,
        )
        assert state.note == "approved by bob: looks good"

    def test_a_yes_before_its_step_is_remembered(self, action):
        rollout, _ = run(begun(turn_on("dev"), action), Approved(step="s2", by="bob"))
        assert status(rollout, "s2") is StepStatus.PENDING
        rollout, _ = run(rollout, LOOK, LOOK)
        assert status(rollout, "s2") is StepStatus.DONE

    def test_a_yes_counts_while_paused(self, action):
        paused = Paused(by="ada", reason="lunch")
        rollout, _ = run(begun(action), LOOK, paused, Approved(step="s1", by="bob"), LOOK)
        assert (rollout.phase, status(rollout)) == (Phase.PAUSED, StepStatus.WAITING)
        rollout, _ = run(rollout, Resumed(by="ada"), LOOK)
        assert status(rollout) is StepStatus.DONE

    def test_the_first_yes_stays(self, action):
        rollout, _ = run(begun(action), Approved(step="s1", by="bob", reason="one"))
        assert run(rollout, Approved(step="s1", by="eve", reason="two")) == (rollout, ())

    def test_a_no_pauses_and_takes_back_a_yes(self, action):
        yes, no = Approved(step="s1", by="bob"), Rejected(step="s1", by="eve", reason="too soon")
        rollout, _ = run(begun(action), yes, no)
        assert (rollout.phase, rollout.reason) == (Phase.PAUSED, "rejected by eve: too soon")
        rollout, _ = run(rollout, Resumed(by="ada"), LOOK)
        assert status(rollout) is StepStatus.WAITING
        assert rollout.state("s1").note == "rejected by eve: too soon"
        rollout, _ = run(rollout, yes, LOOK)
        assert status(rollout) is StepStatus.DONE

    def test_a_skip_needs_no_yes(self, action):
        rollout, _ = run(begun(action), LOOK, Skipped(step="s1", by="ada", reason="not needed"))
        state = rollout.state("s1")
        assert (state.status, state.note) == (StepStatus.SKIPPED, "skipped by ada: not needed")


ONCE = [
    (Announce(channels=("#ops",), text="Hello"), Post),
    (Close(target=CloseTarget.FEATURE_ISSUE, reference="#1"), CloseIssue),
]


@pytest.mark.parametrize(("action", "kind"), ONCE)
class TestEffects:
    def test_it_is_wanted_once_and_awaited(self, action, kind):
        rollout, effects = run(begun(action), LOOK)
        assert [(type(e), e.key) for e in effects] == [(kind, "7/s1/0")]
        assert run(rollout, LOOK, now=START + HOUR) == (rollout, ())

    def test_its_result_ends_the_step(self, action, kind):
        del kind
        rollout, _ = run(begun(action), LOOK, EffectDone(step="s1", note="posted"))
        assert (status(rollout), rollout.state("s1").note) == (StepStatus.DONE, "posted")

    def test_the_same_result_again_changes_nothing(self, action, kind):
        del kind
        done = EffectDone(step="s1", note="posted")
        rollout, _ = run(begun(action, action), LOOK, done)
        assert run(rollout, done, now=START + HOUR) == (rollout, ())

    def test_a_result_nobody_waits_for_is_passed_over(self, action, kind):
        del kind
        rollout = begun(action)
        assert run(rollout, EffectDone(step="s1")) == (rollout, ())

    def test_a_result_may_ask_for_a_person(self, action, kind):
        del kind
        rollout, _ = run(begun(action), LOOK, EffectDone(step="s1", ask="close it yourself"))
        assert (status(rollout), rollout.state("s1").note) == (
            StepStatus.WAITING,
            "close it yourself",
        )
        rollout, effects = run(rollout, LOOK)
        assert (rollout.phase, effects) == (Phase.WAITING, ())
        rollout, effects = run(rollout, Approved(step="s1", by="ada"), LOOK)
        assert (status(rollout), effects) == (StepStatus.DONE, ())

    def test_a_failure_pauses_and_a_retry_has_a_new_key(self, action, kind):
        rollout, _ = run(begun(action), LOOK, EffectFailed(step="s1", error="404"))
        assert (rollout.phase, status(rollout), rollout.reason) == (
            Phase.PAUSED,
            StepStatus.FAILED,
            "404",
        )
        rollout, effects = run(rollout, Retried(by="ada"), LOOK)
        assert (rollout.epoch, rollout.phase) == (1, Phase.RUNNING)
        assert [(type(e), e.key) for e in effects] == [(kind, "7/s1/1")]

    def test_a_failed_step_is_not_simply_resumed(self, action, kind):
        del kind
        rollout, _ = run(begun(action), LOOK, EffectFailed(step="s1", error="404"))
        assert run(rollout, Resumed(by="ada")) == (rollout, ())

    def test_skipping_the_failed_step_goes_on(self, action, kind):
        del kind
        rollout, _ = run(begun(action, action), LOOK, EffectFailed(step="s1", error="404"))
        rollout, effects = run(rollout, Skipped(step="s1", by="ada", reason="said by hand"), LOOK)
        assert (rollout.phase, rollout.current.id) == (Phase.RUNNING, "s2")
        assert [e.step for e in effects] == ["s2"]


def test_a_retry_of_nothing_changes_nothing():
    rollout, _ = run(begun(turn_on("dev")), LOOK)
    assert run(rollout, Retried(by="ada")) == (rollout, ())


def test_an_announcement_of_a_finished_step_that_fails_does_not_stop_the_rollout():
    rollout, _ = run(begun(ramp(10), Approve(), announce_to=("#ops",)), LOOK)
    assert run(rollout, EffectFailed(step="s1", error="404")) == (rollout, ())


@pytest.mark.parametrize(
    "event",
    [
        Approved(step="nowhere", by="ada"),
        Rejected(step="nowhere", by="ada", reason=""),
        Skipped(step="nowhere", by="ada", reason=""),
        Promoted(step="nowhere", by="ada", reason=""),
        EffectDone(step="nowhere", cleanup=CLEANUP),
        EffectFailed(step="", error="404"),
        Approved(step="s1", by="ada"),
        Rejected(step="s1", by="ada", reason=""),
        Skipped(step="s1", by="ada", reason=""),
        EffectDone(step="s1"),
        EffectFailed(step="s1", error="404"),
        EffectFailed(step="s3", error="for a step that has not begun"),
    ],
)
def test_news_of_unknown_finished_or_far_steps_change_nothing(event):
    rollout, _ = run(begun(turn_on("dev"), Approve(), turn_on("production")), LOOK, LOOK)
    assert run(rollout, event) == (rollout, ())


class TestCleanup:
    def plan(self):
        return begun(
            OpenCleanup(part=CleanupPart.REFERENCES),
            OpenCleanup(part=CleanupPart.DEFINITION),
            OpenCleanup(part=CleanupPart.CHANGELOG),
            AwaitMerge(),
            CheckReleased(),
            DeleteFlag(environments=("dev", "production")),
        )

    def written(self):
        return run(self.plan(), LOOK, EffectDone(step="s1", cleanup=CLEANUP))[0]

    def test_the_branch_is_written_once_for_all_its_parts(self):
        rollout, effects = run(self.plan(), LOOK)
        assert [(type(e), e.key) for e in effects] == [(WriteCleanup, "7/s1/0")]
        rollout, effects = run(rollout, EffectDone(step="s1", cleanup=CLEANUP), LOOK, LOOK)
        assert effects == ()
        assert rollout.cleanup == CLEANUP
        assert (
            rollout.state("s2").note
            == "the YAML definition: on `cleanup/new_navigation` (cccccccccccc)"
        )

    def test_a_part_that_is_not_there_is_left_to_a_person(self):
        rollout, _ = run(self.written(), LOOK, LOOK, LOOK)
        assert (rollout.current.id, rollout.phase) == ("s3", Phase.WAITING)
        assert "does not hold the changelog entry" in rollout.state("s3").note
        rollout, _ = run(rollout, Approved(step="s3", by="ada"), LOOK)
        assert rollout.current.id == "s4"

    def test_what_is_left_of_the_references_is_named(self):
        left = ("shop.py:21: count('flag') (passes the flag's name on as text)", "notes.md:1: flag")
        cleanup = replace(CLEANUP, parts=(CleanupPart.DEFINITION,), residues=left)
        rollout, _ = run(self.plan(), LOOK, EffectDone(step="s1", cleanup=cleanup), LOOK)
        assert (rollout.current.id, rollout.phase) == ("s1", Phase.WAITING)
        note = rollout.state("s1").note
        assert "still names the flag, the first of 2 lines: shop.py:21: count('flag')" in note
        assert "`flagstaff cleanup new_navigation` lists all" in note

    def at_merge(self):
        skip = Skipped(step="s3", by="ada", reason="no changelog")
        return run(self.written(), LOOK, LOOK, skip)[0]

    def test_the_merge_is_awaited(self):
        for seen in (LOOK, Observed(merged="")):
            rollout, _ = run(self.at_merge(), seen)
            assert (rollout.current.id, rollout.merged) == ("s4", "")
        rollout, _ = run(rollout, Observed(merged="m" * 40))
        assert (rollout.current.id, rollout.merged) == ("s5", "m" * 40)

    def test_the_flag_is_deleted_only_where_the_cleanup_runs(self):
        rollout, _ = run(self.at_merge(), Observed(merged="m" * 40), Observed(released=YES))
        assert rollout.current.id == "s6"
        for seen in (LOOK, Observed(deployed=NO)):
            rollout, effects = run(rollout, seen)
            assert (rollout.current.id, effects) == ("s6", ())
        rollout, effects = run(rollout, Observed(deployed=YES), LOOK)
        assert [(type(e), e.key) for e in effects] == [
            (RemoveFlag, "7/s6/0/dev"),
            (RemoveFlag, "7/s6/0/production"),
        ]
        assert rollout.phase is Phase.COMPLETED

    def test_without_a_cleanup_of_ours_people_say_merged_and_released(self):
        rollout, _ = run(begun(AwaitMerge(), CheckReleased()), LOOK)
        assert (rollout.phase, rollout.current.id) == (Phase.WAITING, "s1")
        rollout, _ = run(rollout, Approved(step="s1", by="ada"), LOOK, LOOK)
        assert (rollout.phase, rollout.current.id) == (Phase.WAITING, "s2")
        assert "check the release, then approve" in rollout.state("s2").note
        rollout, _ = run(rollout, Approved(step="s2", by="ada"), LOOK, LOOK)
        assert rollout.phase is Phase.COMPLETED


def test_a_summary_is_done_when_it_is_reached():
    rollout, _ = run(begun(turn_on("dev"), Summary()), LOOK)
    assert status(rollout, "s2") is StepStatus.PENDING
    rollout, _ = run(rollout, LOOK, LOOK)
    assert (status(rollout, "s2"), rollout.phase) == (StepStatus.DONE, Phase.COMPLETED)


def test_a_finished_rollout_hears_nothing():
    rollout, _ = run(begun(turn_on("dev")), LOOK, LOOK)
    harm = Observed(measurements=(HARM,))
    for event in (Aborted(by="ada", reason="late"), Paused(by="ada", reason=""), harm):
        assert run(rollout, event) == (rollout, ())
