"""Do rules about failures, conditions, approvals and policies keep a rollout's promises?

Like the properties of the machine, with every kind of step and every rule, and with gates that
change as the services change them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_strategies import ENVIRONMENTS, calm, gates, readings, sets

from fakes import GUARD, HARM, START
from flagstaff.commands.codec import decode, encode
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    DeleteQueue,
    MigrateJobs,
    RunCommand,
    Wait,
)
from flagstaff.rollouts.condition import Facts
from flagstaff.rollouts.effect import ChangeFlag, RemoveFlag, RestoreFlag
from flagstaff.rollouts.event import (
    Aborted,
    Answer,
    Approved,
    EffectDone,
    EffectFailed,
    Observed,
    Paused,
    Rejected,
    Resumed,
    Retried,
    Skipped,
    Started,
)
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, AskPerson, Bake, DeleteFlag, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Phase, Rollout, SavedGates, StepStatus
from flagstaff.rollouts.rules import OnFail, OnInconclusive, OnTimeout, RollbackTo, Then

MANY = settings(max_examples=120, deadline=None)
HOUR = timedelta(hours=1)
lengths = st.sampled_from([timedelta(), timedelta(minutes=10), HOUR, timedelta(days=1)])
perhaps = st.none() | lengths
approvals = st.builds(
    Approve,
    four_eyes=st.booleans(),
    count=st.integers(1, 3),
    timeout=perhaps,
    on_timeout=st.sampled_from(OnTimeout),
)
kinds = st.one_of(
    approvals,
    st.just(AskPerson()),
    st.builds(
        Bake,
        duration=lengths,
        max_time=perhaps,
        on_inconclusive=st.none() | st.sampled_from(OnInconclusive),
    ),
    st.builds(Wait, duration=lengths),
    st.builds(Wait, until=lengths.map(lambda length: START + length)),
    st.just(Wait(condition="flag.type == ops")),
    st.just(CheckFlag(environments=("dev",), change=Boolean(value=True))),
    st.just(CheckHealth()) | st.just(CheckHealth(guards=("jobs",))),
    st.just(CheckCommand(command="smoke")),
    st.just(CheckHttp(url="https://x.example/")),
    st.just(CheckWorkersReady(name="shop.notify", broker="main", queue="shop")),
    st.just(CheckDrained(name="shop.notify", broker="main")),
    st.just(RunCommand(command="migrate")),
    st.just(MigrateJobs(name="shop.notify", to="integrations.notify", broker="main")),
    st.just(DeleteQueue(queue="shop", broker="main")),
    st.just(DeleteFlag(environments=("dev",))),
)
EFFECTS = RunCommand | MigrateJobs | DeleteQueue
rules = st.builds(OnFail, then=st.sampled_from(Then), retries=st.integers(0, 2), back_off=lengths)


@st.composite
def ruled_plans(draw):
    steps = []
    for number in range(1, draw(st.integers(3, 8)) + 1):
        earlier = [each.id for each in steps]
        required = draw(st.lists(st.sampled_from(earlier), max_size=1)) if earlier else []
        steps.append(
            Step(
                id=f"s{number}",
                stage="Stage",
                title=f"Step {number}",
                action=draw(sets if draw(st.booleans()) else kinds),
                requires=tuple(required) if draw(st.integers(0, 4)) == 0 else (),
                when=draw(st.sampled_from(["", "", "", "flag.type == ops", "percentage > 50"])),
                timeout=draw(st.none() | perhaps),
                on_fail=draw(rules),
            )
        )
    return Plan(
        flag="flag",
        title="Title",
        steps=tuple(steps),
        guards=draw(st.sampled_from([(), (GUARD,)])),
        announce_to=draw(st.sampled_from([(), ("#prod",)])),
        rollback_to=draw(st.sampled_from(RollbackTo)),
        expiry=draw(st.sampled_from([timedelta(), timedelta(days=21), timedelta(hours=30)])),
    )


answers = st.builds(Answer, yes=st.booleans(), text=st.sampled_from(["a", "b"]))
facts = st.builds(
    Facts,
    flag=st.just("flag"),
    type=st.sampled_from(["ops", "worker"]),
    percentage=st.sampled_from([Decimal(0), Decimal(60)]),
)
looks = st.builds(
    Observed,
    policy=st.none() | answers,
    check=st.none() | answers,
    facts=st.none() | facts,
    measurements=st.lists(st.just(calm) | st.just(calm) | readings, max_size=1).map(tuple),
)
NICE = Observed(
    policy=Answer(yes=True, text=""),
    check=Answer(yes=True, text="yes"),
    facts=Facts(flag="flag", type="ops", percentage=Decimal(60)),
    measurements=(calm,),
)
people = st.sampled_from(["ada", "bob", "cyd", "dan"])
HERE = "the current step"
names = st.just(HERE) | st.integers(1, 8).map(lambda number: f"s{number}")
NATURAL = "what would come next if all went well"
BAD = replace(NICE, measurements=(HARM,))
LATE = replace(NICE, check=Answer(yes=False, text="503"))
natural = st.just(NATURAL)
events = st.one_of(
    *[natural] * 12,
    st.just(BAD),
    st.just(LATE),
    st.just(EffectFailed(step=HERE, error="500")),
    looks,
    st.builds(Approved, step=names, by=people),
    st.builds(Approved, step=names, by=people),
    st.builds(Rejected, step=names, by=people, reason=st.just("no")),
    st.builds(Skipped, step=names, by=people, reason=st.just("no")),
    st.builds(Paused, by=people, reason=st.just("x")),
    st.builds(Resumed, by=people),
    st.builds(Resumed, by=people),
    st.builds(Retried, by=people),
    st.just(EffectDone(step=HERE, note="done")),
    st.just(EffectFailed(step=HERE, error="3")),
)
happenings = st.lists(
    st.tuples(events, st.sampled_from([timedelta(minutes=5), HOUR, HOUR, 30 * HOUR])),
    min_size=15,
    max_size=50,
)


class World:
    """A rollout and the gates that it changes, as the services keep both."""

    def __init__(self, plan, first):
        self.rollout = Rollout.of(plan, rollout_id=7)
        self.first = dict(zip(ENVIRONMENTS, first, strict=True))
        self.gates = dict(self.first)
        self.keys = []
        self.now = START
        self.hear(Started(by="ada"))

    def hear(self, event):
        """Return the rollout as it was, and the effects."""
        current = self.rollout.current
        event = self._natural() if event == NATURAL else event
        if getattr(event, "step", "") == HERE:
            event = replace(event, step=current.id if current else "")
        before = self.rollout
        after, effects = advance(before, event, self.now)
        self.rollout = self._kept(after, effects)
        self.keys += [each.key for each in effects]
        return before, event, effects

    def _natural(self):
        current = self.rollout.current
        state = self.rollout.state(current.id) if current else None
        if self.rollout.phase in {Phase.PAUSED, Phase.EXPIRED}:
            failed = state is not None and state.status is StepStatus.FAILED
            tried = failed and self.rollout.phase is Phase.PAUSED
            return Retried(by="bob") if tried else Resumed(by="bob")
        if state is not None and state.status is StepStatus.WAITING:
            several = isinstance(current.action, Approve)
            said = len(state.approvals)
            if not state.approved_by or (several and said < current.action.count):
                return Approved(step=current.id, by=("bob", "cyd", "dan")[min(said, 2)])
        if current and isinstance(current.action, EFFECTS) and state.since:
            return EffectDone(step=current.id, note="done")
        return NICE

    def _kept(self, rollout, effects):
        first = {each.environment: each for each in rollout.before}
        for effect in effects:
            if isinstance(effect, ChangeFlag | RemoveFlag):
                saved = SavedGates(
                    environment=effect.environment, gates=self.gates[effect.environment]
                )
                first.setdefault(effect.environment, saved)
                state = rollout.state(effect.step)
                rollout = rollout.with_state(replace(state, before=(*state.before, saved)))
        for effect in effects:
            match effect:
                case ChangeFlag(environment=name, change=change):
                    self.gates[name] = change.apply(self.gates[name] or Gates())
                case RemoveFlag(environment=name):
                    self.gates[name] = None
                case RestoreFlag(environment=name, gates=found):
                    self.gates[name] = found
        return replace(rollout, before=tuple(first.values()))

    def replayed(self):
        """Return the gates that the steps which are done now make of those at first."""
        found = dict(self.first)
        for step, state in zip(self.rollout.plan.steps, self.rollout.states, strict=True):
            if state.status is not StepStatus.DONE:
                continue
            match step.action:
                case SetGate(environments=places, change=change):
                    found |= {name: change.apply(found[name] or Gates()) for name in places}
                case DeleteFlag(environments=places):
                    found |= dict.fromkeys(places)
        return found


firsts = st.lists(gates, min_size=3, max_size=3)


@MANY
@given(ruled_plans(), firsts, happenings)
def test_no_gate_changes_beyond_an_approval_that_is_not_given(plan, first, heard):
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        before, _, effects = world.hear(event)
        for effect in effects:
            if not isinstance(effect, ChangeFlag | RemoveFlag):
                continue
            at = [step.id for step in plan.steps].index(effect.step)
            for step in plan.steps[:at]:
                state = before.state(step.id)
                assert state.status.finished
                if isinstance(step.action, Approve) and state.status is StepStatus.DONE:
                    said = {each.by for each in state.approvals}
                    assert len(said) >= step.action.count
                    assert not (step.action.four_eyes and "ada" in said)


@MANY
@given(ruled_plans(), firsts, happenings)
def test_no_gate_changes_while_a_policy_says_no(plan, first, heard):
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        _, heard_of, effects = world.hear(event)
        if isinstance(heard_of, Observed) and heard_of.policy and not heard_of.policy.yes:
            assert not any(isinstance(each, ChangeFlag | RemoveFlag) for each in effects)


@MANY
@given(ruled_plans(), firsts, happenings)
def test_gates_are_always_what_the_steps_that_are_done_make_of_them(plan, first, heard):
    """Also after going back one stage, and after all of it was rolled back."""
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        world.hear(event)
        rolled_back = world.rollout.phase is Phase.ROLLED_BACK
        assert world.gates == (world.first if rolled_back else world.replayed())


@MANY
@given(ruled_plans(), firsts, happenings)
def test_a_rollback_is_within_reach_from_everywhere_and_exact(plan, first, heard):
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        world.hear(event)
    if not world.rollout.phase.finished:
        world.hear(Aborted(by="bob", reason="enough"))
        assert (world.rollout.phase, world.gates) == (Phase.ROLLED_BACK, world.first)


@MANY
@given(ruled_plans(), firsts, happenings)
def test_every_effect_has_a_key_of_its_own_however_often_it_is_tried(plan, first, heard):
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        world.hear(event)
    assert len(world.keys) == len(set(world.keys))


@MANY
@given(ruled_plans(), firsts, happenings)
def test_looking_comes_to_rest_and_all_of_it_survives_the_database(plan, first, heard):
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        world.hear(event)
    for _ in range(8 * len(plan.steps) + 8):
        before, _, effects = world.hear(NICE)
        if world.rollout == before:
            assert effects == ()
            break
    else:
        raise AssertionError("it never comes to rest")
    assert decode(json.loads(json.dumps(encode(world.rollout))), Rollout) == world.rollout


@MANY
@given(ruled_plans(), firsts, happenings)
def test_nothing_happens_to_a_rollout_that_has_expired_but_what_people_say(plan, first, heard):
    world = World(plan, first)
    for event, later in heard:
        world.now += later
        before, heard_of, effects = world.hear(event)
        if before.phase is Phase.EXPIRED and not isinstance(heard_of, Resumed | EffectDone):
            assert (world.rollout, effects) == (before, ())
