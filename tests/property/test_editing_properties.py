"""Does no edit of a plan skip, repeat or pass by anything, whenever it comes?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from rollout_strategies import GOOD, actions, before, happenings, meant, plans
from test_steps_properties import NICE, World, firsts, ruled_plans
from test_steps_properties import happenings as ruled_happenings

from fakes import START
from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.editing import edit, edit_problems, overruled
from flagstaff.rollouts.effect import ChangeFlag, RestoreFlag
from flagstaff.rollouts.event import Aborted, EffectDone, Started
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, AskPerson, SetGate, Step
from flagstaff.rollouts.reaching import share_of
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus

RULED = settings(max_examples=40, deadline=None)
MANY = settings(max_examples=40, deadline=None)
LATER = START + timedelta(days=1)


@st.composite
def under_way(draw):
    """Return a rollout somewhere on its way."""
    rollout = Rollout.of(draw(plans().filter(lambda plan: plan.steps)), rollout_id=7)
    now = START
    news = [(Started(by="ada", before=draw(before)), timedelta()), *draw(happenings)]
    for heard, later in news[: draw(st.integers(1, len(news)))]:
        now += later
        rollout, _ = advance(rollout, meant(heard, rollout), now)
    assume(not rollout.phase.finished)
    return rollout


@st.composite
def edited_plans(draw, rollout):
    """Return another plan for the rollout: mostly what a person would write."""
    steps = list(rollout.plan.steps)
    for number in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(steps)))
        how = draw(st.sampled_from(["insert", "insert", "remove", "swap", "change", "append"]))
        new = Step(id=f"n{number}", stage="Stage", title="New", action=draw(actions))
        if how == "insert":
            steps.insert(at, new)
        elif how == "append":
            steps.append(new)
        elif at < len(steps):
            if how == "remove":
                del steps[at]
            elif how == "swap":
                steps.insert(draw(st.integers(0, len(steps) - 1)), steps.pop(at))
            else:
                steps[at] = replace(steps[at], action=draw(actions))
    return replace(rollout.plan, steps=tuple(steps))


@st.composite
def edits(draw):
    """Return a rollout, another plan, and the rollout with it; refused edits come first."""
    rollout = draw(under_way())
    plan = draw(edited_plans(rollout))
    if edit_problems(rollout, plan):
        event("refused")
        assume(False)
    event("taken")
    return rollout, plan, edit(rollout, plan, LATER)


def passed(rollout):
    pairs = zip(rollout.plan.steps, rollout.states, strict=True)
    return [*takewhile(lambda pair: pair[1].status.finished, pairs)]


def ran(rollout, *, days=400):
    """Return the rollout when it went on by itself as far as it can, and what it wanted done."""
    wanted, now = [], LATER
    for _ in range(60):
        now += timedelta(days=days)
        moved, effects = advance(rollout, GOOD, now)
        wanted += effects
        step = moved.current
        if step is not None and moved.state(step.id).status is StepStatus.ACTIVE:
            moved, _ = advance(moved, EffectDone(step=step.id), now)
        if moved == rollout:
            break
        rollout = moved
    return rollout, wanted


@MANY
@given(under_way())
def test_the_same_plan_changes_nothing(rollout):
    assert edit_problems(rollout, rollout.plan) == ()
    assert overruled(rollout, rollout.plan) == ()
    assert edit(rollout, rollout.plan, LATER) == rollout


@MANY
@given(edits())
def test_what_is_over_stays_as_and_where_it_is(made):
    rollout, plan, edited = made
    assert edited.plan == plan
    assert passed(edited)[: len(passed(rollout))] == passed(rollout)
    for step, state in zip(rollout.plan.steps, rollout.states, strict=True):
        if state.status.finished:
            assert edited.plan.step(step.id) == step
            assert edited.state(step.id) == state
    assert edit(edited, plan, LATER) == edited
    assert decode(encode(edited), Rollout) == edited


@MANY
@given(edits())
def test_it_neither_skips_nor_repeats(made):
    rollout, _, edited = made
    begun = rollout.current and rollout.state(rollout.current.id).status is not StepStatus.PENDING
    if begun:
        assert edited.current.id == rollout.current.id
        assert type(edited.current.action) is type(rollout.current.action)
    over = {each.id for each in rollout.states if each.status.finished}
    for each in edited.states:
        if each.id not in over and each.id in {one.id for one in rollout.states}:
            assert not each.status.finished
    _, wanted = ran(edited)
    assert not over & {each.step for each in wanted if not isinstance(each, RestoreFlag)}


@MANY
@given(edits())
def test_rollback_is_exact(made):
    rollout, _, edited = made
    assert edited.before == rollout.before
    assert edited.touched == rollout.touched
    kept = ("watch_since", "watches", "cleanup", "merged", "epoch", "paused_at", "started_at")
    for name in kept:
        assert getattr(edited, name) == getattr(rollout, name)

    def restored(one):
        _, effects = advance(one, Aborted(by="ada", reason="r"), LATER)
        return {each.environment: each.gates for each in effects if isinstance(each, RestoreFlag)}

    assert restored(edited) == restored(rollout)


@MANY
@given(edits())
def test_no_approval_is_passed_by_without_more_say(made):
    rollout, plan, edited = made
    assume(not overruled(rollout, plan))
    unmet = [
        (at, step)
        for at, (step, state) in enumerate(zip(rollout.plan.steps, rollout.states, strict=True))
        if isinstance(step.action, Approve | AskPerson)
        and not state.status.finished
        and not state.approved_by
    ]
    end, wanted = ran(edited)
    for at, step in unmet:
        assert not end.state(step.id).status.finished or end.phase is Phase.ROLLED_BACK
        allowed = [
            each.action for each in rollout.plan.steps[:at] if isinstance(each.action, SetGate)
        ]
        for effect in wanted:
            if not isinstance(effect, ChangeFlag):
                continue
            there = [each.change for each in allowed if effect.environment in each.environments]
            share = share_of(effect.change)
            numbers = [number for each in there if (number := share_of(each)) is not None]
            small = share is not None and share <= max(numbers, default=0)
            assert effect.change in there or small


@st.composite
def ruled_worlds(draw):
    """Return a rollout with rules and the gates that it changes, and an edit that is taken."""
    world = World(draw(ruled_plans()), draw(firsts))
    for heard, later in draw(ruled_happenings):
        world.now += later
        world.hear(heard)
    rollout = world.rollout
    assume(not rollout.phase.finished)
    plan = draw(edited_plans(rollout))
    assume(not edit_problems(rollout, plan))
    return world, plan


@RULED
@given(ruled_worlds())
def test_with_rules_too_nothing_is_lost_and_a_rollback_is_exact(made):
    world, plan = made
    rollout = world.rollout
    gates = dict(world.gates)
    world.rollout = edit(rollout, plan, world.now)
    assert passed(world.rollout)[: len(passed(rollout))] == passed(rollout)
    assert decode(encode(world.rollout), Rollout) == world.rollout
    assert edit(world.rollout, plan, world.now) == world.rollout
    assert world.gates == gates
    assert world.replayed() == gates
    keys = [*world.keys]
    for _ in range(12):
        world.now += timedelta(days=1)
        world.hear(NICE)
    assert len({*world.keys}) == len(world.keys)
    assert world.keys[: len(keys)] == keys
    world.hear(Aborted(by="ada", reason="r"))
    if world.rollout.phase is Phase.ROLLED_BACK:
        assert world.gates == world.first


@RULED
@given(ruled_worlds())
def test_with_rules_too_no_approval_is_passed_by(made):
    world, plan = made
    rollout = world.rollout
    assume(not overruled(rollout, plan))
    asked = [
        step
        for step, state in zip(rollout.plan.steps, rollout.states, strict=True)
        if isinstance(step.action, Approve) and not state.status.finished
    ]
    for step in asked:
        after = plan.step(step.id)
        assert (after.action, after.when, after.requires) == (
            *(step.action, step.when, step.requires),
        )
