"""Does a rollout keep its promises, whatever happens to it and in whatever order?"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_strategies import before, changes, environments, happenings, ids, meant, plans, words

from fakes import START
from flagstaff.commands import model
from flagstaff.commands.codec import decode, decode_command, encode, encode_command
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import ChangeFlag, Effect, RemoveFlag, RestoreFlag
from flagstaff.rollouts.event import Observed, Skipped, Started
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.needs import needs
from flagstaff.rollouts.plan import Approve, AskPerson, DeleteFlag, Preset, SetGate
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus

MANY = settings(max_examples=100, deadline=None)


class Story:
    """Everything that happened to one rollout: `(event, before, after, effects, at)`."""

    def __init__(self, plan, saved, events):
        self.saved = saved
        rollout = Rollout.of(plan, rollout_id=7)
        self.moves = []
        now = START
        for heard, later in [(Started(by="ada", before=saved), START - START), *events]:
            now += later
            event = meant(heard, rollout)
            after, effects = advance(rollout, event, now)
            self.moves.append((event, rollout, after, effects, now))
            rollout = after
        self.end = rollout

    @property
    def effects(self):
        return [effect for move in self.moves for effect in move[3]]


stories = st.builds(Story, plans(), before, happenings)


@MANY
@given(stories)
def test_a_finished_rollout_never_changes(story):
    for _, earlier, after, effects, _ in story.moves:
        if earlier.phase.finished:
            assert (after, effects) == (earlier, ())


@MANY
@given(stories)
def test_no_effect_beyond_a_step_that_nobody_has_approved(story):
    for event, earlier, _, effects, _ in story.moves:
        for effect in effects:
            if isinstance(effect, RestoreFlag) or effect.key.startswith("7/rollback/"):
                continue
            steps = earlier.plan.steps
            at = next(index for index, step in enumerate(steps) if step.id == effect.step)
            for step in steps[:at]:
                if isinstance(step.action, Approve | AskPerson):
                    state = earlier.state(step.id)
                    assert state.status.finished
                    unasked = step.preset is not Preset.OPEN or state.note.startswith("skipped by")
                    assert unasked or state.approved_by, (event, step)


@MANY
@given(stories)
def test_an_event_that_comes_twice_changes_nothing_more(story):
    """A look is no event of this kind: it says how things are, and may move one step each time."""
    for event, _, after, _, at in story.moves:
        if not isinstance(event, Observed):
            assert advance(after, event, at) == (after, ())


@MANY
@given(stories)
def test_looking_again_at_the_same_comes_to_rest(story):
    """So an engine that repeats until nothing changes does not repeat for ever."""
    for event, _, after, _, at in story.moves[-3:]:
        if isinstance(event, Observed):
            rollout = after
            for _ in range(len(after.plan.steps) * 2 + 2):
                again, effects = advance(rollout, event, at)
                if again == rollout:
                    assert effects == ()
                    break
                rollout = again
            else:
                raise AssertionError("it never comes to rest")


@MANY
@given(stories)
def test_every_effect_has_a_key_of_its_own(story):
    keys = [effect.key for effect in story.effects]
    assert len(keys) == len(set(keys))


@MANY
@given(stories)
def test_an_effect_comes_from_the_step_that_was_current_then(story):
    for _, earlier, after, effects, _ in story.moves:
        for effect in effects:
            if not effect.key.startswith("7/rollback/"):
                assert effect.step == earlier.current.id
                assert effect.key.startswith(f"7/{effect.step}/{after.epoch}")


@MANY
@given(stories)
def test_gates_change_in_the_order_of_the_plan(story):
    """What was changed is what the plan says, from its beginning, without what was skipped."""
    changed = [
        (effect.step, effect.environment, getattr(effect, "change", None))
        for effect in story.effects
        if isinstance(effect, ChangeFlag | RemoveFlag)
    ]
    planned = [
        (step.id, environment, getattr(step.action, "change", None))
        for step, state in zip(story.end.plan.steps, story.end.states, strict=True)
        if isinstance(step.action, SetGate | DeleteFlag) and step.preset is Preset.OPEN
        if state.status is not StepStatus.SKIPPED
        for environment in step.action.environments
    ]
    assert changed == planned[: len(changed)]


@MANY
@given(stories)
def test_steps_end_in_order_unless_a_person_skips_them(story):
    for event, earlier, after, _, _ in story.moves:
        ended = [
            new.id
            for old, new in zip(earlier.states, after.states, strict=True)
            if new.status.finished and not old.status.finished
        ]
        if isinstance(event, Skipped):
            assert ended in ([], [event.step])
        else:
            assert ended in ([], [earlier.current.id] if earlier.current else [])


@MANY
@given(stories)
def test_no_step_is_done_twice_or_taken_back(story):
    for (_, _, earlier, _, _), (_, _, later, _, _) in pairwise(story.moves):
        for old, new in zip(earlier.states, later.states, strict=True):
            if old.status.finished:
                assert new == old


@MANY
@given(stories)
def test_a_rollback_restores_what_was_touched_and_nothing_else(story):
    production = story.end.plan.production
    touched = {
        effect.environment
        for effect in story.effects
        if isinstance(effect, ChangeFlag | RemoveFlag)
    }
    restored = [effect for effect in story.effects if isinstance(effect, RestoreFlag)]
    if story.end.phase is Phase.ROLLED_BACK:
        assert {effect.environment for effect in restored} == touched
    else:
        assert restored == []
    saved = {each.environment: each.gates for each in story.end.before}
    assert all(effect.gates == saved[effect.environment] for effect in restored)
    order = [effect.environment not in production for effect in restored]
    assert order == sorted(order)


@MANY
@given(stories)
def test_a_look_at_a_paused_rollout_moves_nothing_but_harm_does(story):
    for event, earlier, after, effects, _ in story.moves:
        if isinstance(event, Observed) and earlier.phase is Phase.PAUSED:
            # It goes on to count, and says so where that alarms.
            same = replace(after, watches=earlier.watches) == earlier
            quiet = all(effect.key.startswith("7/guards/") for effect in effects)
            assert after.phase is Phase.ROLLED_BACK or (same and quiet)


@MANY
@given(stories)
def test_the_phase_and_the_steps_agree(story):
    for _, _, rollout, _, _ in story.moves:
        current = rollout.current
        status = rollout.state(current.id).status if current else None
        match rollout.phase:
            case Phase.PENDING:
                assert rollout.started_at is None
            case Phase.COMPLETED:
                assert current is None
            case Phase.WAITING:
                # A skip of the waiting step leaves the phase to the next look.
                assert status in {StepStatus.WAITING, StepStatus.PENDING, None}
            case Phase.RUNNING:
                assert status is not StepStatus.FAILED
            case Phase.PAUSED:
                assert rollout.paused_at is not None
        assert (rollout.finished_at is not None) == rollout.phase.finished


@MANY
@given(stories)
def test_whatever_is_reached_survives_the_database(story):
    for _, _, rollout, effects, _ in story.moves[-5:]:
        assert decode(json.loads(json.dumps(encode(rollout))), Rollout) == rollout
        for effect in effects:
            written = json.loads(json.dumps(encode(effect, Effect)))
            assert decode(written, cast("type[Effect]", Effect)) == effect


@MANY
@given(stories)
def test_questions_are_asked_of_rollouts_under_way_only(story):
    for _, _, rollout, _, _ in story.moves:
        asked = needs(rollout)
        if rollout.phase.finished or rollout.phase is Phase.PENDING:
            assert asked == needs(Rollout.of(rollout.plan))
        assert not asked.guards or rollout.watching


# What is no number is not equal to itself.
st.register_type_strategy(Decimal, st.decimals(allow_nan=False))

commands = st.one_of(
    st.builds(
        model.SetFlag,
        flag=words,
        environments=environments,
        change=changes,
        reason=words,
        overrides=ids,
    ),
    *(
        st.builds(kind)
        if kind in {model.AutoDeployStatus, model.ListRollouts}
        else st.from_type(kind)
        for kind in model.Command.__args__
        if kind not in {model.SetFlag, model.ImportFlags}
    ),
    st.builds(model.ImportFlags, gates=st.dictionaries(st.text(), st.text(), max_size=3)),
)


@MANY
@given(commands)
def test_every_command_survives_the_journey(command):
    assert decode_command(json.loads(json.dumps(encode_command(command)))) == command


@MANY
@given(before)
def test_gates_survive_exactly(saved):
    for each in saved:
        if each.gates is not None:
            assert Gates.from_json(json.loads(json.dumps(each.gates.to_json()))) == each.gates
