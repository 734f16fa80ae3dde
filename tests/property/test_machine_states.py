"""Can any order of events lead a rollout past what holds it, or to where no rollback helps?

Hypothesis looks for one: it chooses a plan and then event after event, with a model beside the
rollout that knows nothing of the machine but what people said, what passed of time and what the
gates are. Other people change gates meanwhile, and the process is restarted anywhere.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rollout_strategies import (
    ENVIRONMENTS,
    GOOD,
    NATURAL,
    answers,
    before,
    calm,
    endings,
    gates,
    looks,
    meant,
    moments,
    news,
    plans,
    yes,
)

from fakes import START
from flagstaff.commands.codec import decode, encode
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import ChangeFlag, Post, RemoveFlag, RestoreFlag
from flagstaff.rollouts.event import (
    Aborted,
    Answer,
    Approved,
    EffectDone,
    Observed,
    Promoted,
    Rejected,
    Retried,
    Skipped,
    Started,
)
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, AskPerson, Bake, Preset
from flagstaff.rollouts.rollout import Phase, Rollout, SavedGates, StepStatus

LIMIT = 120
"""Events that bring any rollout of these plans to its end, when everybody does their part."""

FROZEN = Answer(yes=False, text="frozen until Monday")
ABORT = Aborted(by="ada", reason="enough")


class AnyOrder(RuleBasedStateMachine):
    """One rollout, and beside it what people said, how long was waited and what gates are."""

    @initialize(plan=plans(), world=before, begun=st.integers(0, 9))
    def begin(self, plan, world, begun):
        self.rollout = Rollout.of(plan, rollout_id=7)
        self.now = START
        self.gates = {each.environment: each.gates for each in world}
        self.untouched = dict(self.gates)
        self.touched = set()
        self.approved, self.skipped = set(), set()
        self.waited = {}
        self.last = None
        if begun:
            self.hear(Started(by="ada"))

    # What can happen.

    @rule(later=moments, count=st.integers(1, 4))
    def goes_well(self, later, count):
        for _ in range(count):
            self.passes(later)
            self.hear(meant(NATURAL, self.rollout))

    @rule(look=looks, policy=answers)
    def is_looked_at(self, look, policy):
        self.hear(replace(look, policy=policy))

    @rule()
    def is_looked_at_in_a_freeze(self):
        self.hear(replace(GOOD, policy=FROZEN))

    @rule(event=news)
    def something_is_said(self, event):
        self.hear(meant(event, self.rollout))

    @rule(later=moments)
    def passes(self, later):
        self.now += later
        step = self.rollout.current
        goes_on = self.rollout.phase in {Phase.RUNNING, Phase.WAITING}
        if goes_on and step and self.rollout.state(step.id).until is not None:
            self.waited[step.id] = self.waited.get(step.id, timedelta()) + later

    @rule(environment=st.sampled_from(ENVIRONMENTS), found=gates)
    def somebody_else_changes_gates(self, environment, found):
        self.gates[environment] = found
        if environment not in self.touched:
            self.untouched[environment] = found

    @rule()
    def is_restarted(self):
        kept = decode(json.loads(json.dumps(encode(self.rollout))), Rollout)
        assert kept == self.rollout
        self.rollout = kept

    @precondition(lambda self: self.last and not isinstance(self.last, Observed))
    @rule()
    def hears_it_again(self):
        assert advance(self.rollout, self.last, self.now) == (self.rollout, ())

    @rule(chance=st.integers(0, 4), event=endings | st.just(Started(by="bob")))
    def is_ended_or_begun(self, chance, event):
        if chance == 0:
            self.hear(event)

    # What must hold whatever happens.

    def hear(self, event):
        earlier = self.rollout
        self.note(event)
        self.rollout, effects = advance(earlier, event, self.now)
        self.last = event
        self.no_step_is_left_out(event, earlier)
        if self.rollout.phase is Phase.ROLLED_BACK and earlier.phase is not Phase.ROLLED_BACK:
            self.is_exact(effects)
            for each in effects:
                if isinstance(each, RestoreFlag):
                    self.gates[each.environment] = each.gates
            return
        assert not any(isinstance(each, RestoreFlag) for each in effects)
        for each in effects:
            self.nothing_held_it(each, event, earlier)
        self.apply(effects)

    @invariant()
    def can_be_rolled_back(self):
        if not hasattr(self, "rollout") or self.rollout.phase.finished:
            return
        ended, effects = advance(self.rollout, ABORT, self.now)
        assert ended.phase is Phase.ROLLED_BACK
        self.is_exact(effects)

    def is_exact(self, effects):
        """Every environment that it changed gets what was there before, and no other anything."""
        restored = [each for each in effects if isinstance(each, RestoreFlag)]
        places = [each.environment for each in restored]
        assert sorted(places) == sorted(self.touched)
        assert {each.environment: each.gates for each in restored} == {
            each: self.untouched[each] for each in self.touched
        }
        later = [each not in self.rollout.plan.production for each in places]
        assert later == sorted(later), "production comes first"
        assert all(isinstance(each, RestoreFlag | Post) for each in effects)

    def nothing_held_it(self, effect, event, earlier):
        if isinstance(effect, Post) and not effect.step:
            return  # an alarm of a guard
        assert isinstance(event, Observed), "only a look moves a rollout"
        assert earlier.phase is not Phase.PAUSED
        if isinstance(effect, ChangeFlag | RemoveFlag):
            assert event.policy is None or event.policy.yes, "a freeze is a freeze"
        assert not event.harmful
        for step in earlier.plan.steps:
            if step.id == effect.step:
                return
            if isinstance(step.action, Approve | AskPerson) and step.preset is Preset.OPEN:
                assert step.id in self.approved | self.skipped, f"nobody has approved {step.id}"
        raise AssertionError(f"{effect.step} is no step")

    def no_step_is_left_out(self, event, earlier):
        over = [
            new.id
            for old, new in zip(earlier.states, self.rollout.states, strict=True)
            if new.status.finished and not old.status.finished
        ]
        current = earlier.current
        if isinstance(event, Observed | EffectDone | Promoted):
            assert over in ([], [current.id] if current else [])
        elif isinstance(event, Skipped):
            assert over in ([], [event.step])
        else:
            assert over == []
        if not over or not isinstance(event, Observed):
            return
        if isinstance(current.action, Approve | AskPerson):
            assert current.id in self.approved
        if isinstance(current.action, Bake):
            assert self.waited.get(current.id, timedelta()) >= current.action.duration
            watches = earlier.watching and earlier.plan.guards
            assert not watches or any(each.at for each in self.rollout.watches), "nobody looked"

    # The model.

    def note(self, event):
        """Remember what was said, as far as it is about a step that is not over."""
        if self.rollout.phase.finished or self.rollout.phase is Phase.PENDING:
            return
        if isinstance(event, Retried) and (step := self.rollout.current):
            if self.rollout.state(step.id).status is StepStatus.FAILED:
                self.waited.pop(step.id, None)
            return
        step = getattr(event, "step", "")
        if not any(each.id == step and not each.status.finished for each in self.rollout.states):
            return
        match event:
            case Approved():
                self.approved.add(step)
            case Rejected():
                self.approved.discard(step)
            case Skipped():
                self.skipped.add(step)

    def apply(self, effects):
        changes = [each for each in effects if isinstance(each, ChangeFlag | RemoveFlag)]
        saved = {each.environment for each in self.rollout.before}
        for each in changes:
            # As the services do, in the transaction of the first change there.
            if each.environment not in saved:
                before = SavedGates(
                    environment=each.environment, gates=self.gates[each.environment]
                )
                self.rollout = replace(self.rollout, before=(*self.rollout.before, before))
                saved.add(each.environment)
            self.touched.add(each.environment)
        for each in changes:
            there = self.gates[each.environment] or Gates()
            removed = isinstance(each, RemoveFlag)
            self.gates[each.environment] = None if removed else each.change.apply(there)

    def teardown(self):
        """Whatever state was reached, people who do their part bring it to an end."""
        if not hasattr(self, "rollout"):
            return
        if self.rollout.phase is Phase.PENDING:
            self.hear(Started(by="ada"))
        jobs = 10_000
        for _ in range(LIMIT):
            if self.rollout.phase.finished:
                return
            self.passes(timedelta(hours=3))
            jobs += 5_000
            step = self.rollout.current
            if step and self.waited.get(step.id, timedelta()) > timedelta(days=1):
                self.hear(Promoted(step=step.id, by="ada", reason="a person has looked"))
            self.hear(meant(NATURAL, self.rollout))
            arm = replace(calm.treatment, total=jobs)
            seen = replace(calm, treatment=arm, control=arm)
            self.hear(replace(GOOD, policy=yes, measurements=(seen,)))
        raise AssertionError(f"it never ends: {self.rollout}")


def test_no_order_of_events_leads_past_what_holds_a_rollout():
    run_state_machine_as_test(
        AnyOrder, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
