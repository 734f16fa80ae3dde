"""Which plans and events can there be? Generators for properties of rollouts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from fakes import GUARD
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.gates import Gates
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
from flagstaff.rollouts.guard import Arm, Measurement
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
    Plan,
    Preset,
    SetGate,
    Step,
    Summary,
)
from flagstaff.rollouts.rollout import Cleanup, Phase, SavedGates, StepStatus

ENVIRONMENTS = ("dev", "staging", "production")
MOST_STEPS = 8
words = st.sampled_from(["", "x", "größe", "a: b"])
shares = st.integers(0, 100_000).map(lambda thousandths: Decimal(thousandths) / 1000)
ids = st.lists(st.sampled_from(["User:1", "Project:7", "ü"]), min_size=1, max_size=3).map(tuple)
environments = st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, max_size=3, unique=True).map(
    tuple
)
expressions = st.sampled_from(["gold", "free"]).map(
    lambda plan: {"Equal": [{"Property": ["plan"]}, plan]}
)
changes = st.one_of(
    st.builds(Boolean, value=st.booleans()),
    st.builds(PercentageOfActors, value=shares),
    st.builds(PercentageOfTime, value=shares),
    st.builds(Actors, ids=ids, value=st.booleans()),
    st.builds(Groups, names=ids, value=st.booleans()),
    st.builds(Expression, value=st.none() | expressions),
)
gates = st.none() | st.builds(
    Gates,
    boolean=st.booleans(),
    actors=ids.map(frozenset),
    percentage_of_actors=shares,
    percentage_of_time=shares,
    groups=ids.map(frozenset),
    expression=st.none() | expressions,
)
sets = st.builds(SetGate, environments=environments, change=changes)
asks = st.builds(Approve) | st.builds(AskPerson)
others = st.one_of(
    asks,
    st.builds(Bake, duration=st.integers(0, 7200).map(lambda seconds: timedelta(seconds=seconds))),
    st.builds(CheckDeployed, sha=st.just("abc"), environments=environments),
    st.builds(Announce, channels=st.just(("#ops",)), text=words),
    st.builds(OpenCleanup, part=st.sampled_from(CleanupPart)),
    st.builds(AwaitMerge),
    st.builds(CheckReleased, request=st.sampled_from(["", "!1"])),
    st.builds(DeleteFlag, environments=environments),
    st.builds(Close, target=st.sampled_from(CloseTarget)),
    st.builds(Summary),
)
actions = st.booleans().flatmap(lambda sets_it: sets if sets_it else others)
cleanup_steps = (OpenCleanup(part=CleanupPart.REFERENCES), AwaitMerge(), CheckReleased())


@st.composite
def plans(draw):
    drawn = draw(st.lists(actions, max_size=MOST_STEPS - len(cleanup_steps)))
    if draw(st.booleans()):
        drawn += cleanup_steps
    # Most issues are imported untouched.
    marks = st.sampled_from(Preset) if draw(st.integers(0, 3)) == 0 else st.just(Preset.OPEN)
    steps = tuple(
        Step(
            id=f"s{number}",
            stage="Stage",
            title=f"Step {number}",
            action=action,
            line=number,
            preset=draw(marks),
        )
        for number, action in enumerate(drawn, start=1)
    )
    return Plan(
        flag="flag",
        title="Title",
        steps=steps,
        guards=draw(st.sampled_from([(), (GUARD,)])),
        production=draw(st.sampled_from([("production",), ("production", "staging")])),
        announce_to=draw(st.sampled_from([(), ("#prod",)])),
    )


CURRENT = "the current one"
"""Stands for the step a rollout is at when the event reaches it."""

NATURAL = "what would come next if all went well"

numbers = st.integers(0, MOST_STEPS + 1).map(lambda number: f"s{number}")
names = st.just(CURRENT) | st.just(CURRENT) | numbers | st.just("")
cleanups = st.builds(
    Cleanup,
    branch=st.just("b"),
    commit=st.just("c"),
    parts=st.lists(st.sampled_from(CleanupPart), unique=True).map(tuple),
    files=st.integers(0, 9),
)
Outside = Announce | Close | OpenCleanup
WHOLE = Cleanup(branch="b", commit="c", parts=tuple(CleanupPart), files=9)
arms = st.tuples(st.integers(0, 200), st.integers(0, 100)).map(
    lambda pair: Arm(total=sum(pair), failed=pair[1])
)
readings = st.builds(
    Measurement,
    guard=st.just(GUARD.name),
    treatment=arms,
    control=arms,
    error=st.sampled_from(["", "", "no logs"]),
)
calm = Measurement(guard=GUARD.name, treatment=Arm(total=999), control=Arm(total=999))
measurements = st.lists(st.just(calm) | st.just(calm) | readings, max_size=1).map(tuple)
answers = st.none() | st.builds(Answer, yes=st.booleans(), text=words)
people = st.sampled_from(["ada", "bob"])
looks = st.builds(
    Observed,
    deployed=answers,
    released=answers,
    merged=st.sampled_from([None, "", "m"]),
    measurements=measurements,
    harmful=st.sampled_from([False, False, False, True]),
)
yes = Answer(yes=True, text="yes")
GOOD = Observed(deployed=yes, released=yes, merged="m", measurements=(calm,))
good_looks = st.just(GOOD)
before = st.lists(gates, min_size=3, max_size=3).map(
    lambda found: tuple(
        SavedGates(environment=name, gates=each)
        for name, each in zip(ENVIRONMENTS, found, strict=True)
    )
)
news = st.one_of(
    st.builds(Approved, step=names, by=people, reason=words),
    st.builds(Rejected, step=names, by=people, reason=words),
    st.builds(Skipped, step=names, by=people, reason=words),
    st.builds(Promoted, step=names, by=people, reason=words),
    st.builds(Paused, by=people, reason=words),
    st.builds(Resumed, by=people, reason=words),
    st.builds(Retried, by=people, reason=words),
    st.builds(EffectDone, step=names, note=words, ask=words, cleanup=st.none() | cleanups),
    st.builds(EffectDone, step=st.just(CURRENT), cleanup=cleanups | st.just(WHOLE)),
    st.just(EffectDone(step=CURRENT, cleanup=WHOLE)),
    st.just(EffectFailed(step=CURRENT, error="404")),
    st.just(EffectFailed(step=CURRENT, error="500")),
    st.builds(EffectFailed, step=names, error=words),
)
endings = st.builds(Aborted, by=people, reason=words)
starts = st.builds(Started, by=people, before=before)
moments = st.integers(0, 4000).map(lambda seconds: timedelta(seconds=seconds))


def _happening(draw_of_twenty):
    """Let most rollouts get somewhere: good news mostly, ends seldom."""
    if draw_of_twenty < 8:
        return st.just(NATURAL)
    if draw_of_twenty < 12:
        return good_looks | looks
    return news if draw_of_twenty < 19 else starts | endings


happenings = st.lists(
    st.tuples(st.integers(0, 19).flatmap(_happening), moments), min_size=10, max_size=40
)


def meant(event, rollout):
    """Return the event that is meant when it reaches the rollout."""
    current = rollout.current.id if rollout.current else ""
    if event == NATURAL:
        status = rollout.state(current).status if current else None
        if status is StepStatus.WAITING and not rollout.state(current).approved_by:
            return Approved(step=current, by="ada")
        if rollout.phase is Phase.PAUSED:
            failed = status is StepStatus.FAILED
            return Retried(by="ada") if failed else Resumed(by="ada")
        if status is StepStatus.ACTIVE and isinstance(rollout.current.action, Outside):
            return EffectDone(step=current, cleanup=WHOLE)
        return GOOD
    return replace(event, step=current) if getattr(event, "step", "") == CURRENT else event
