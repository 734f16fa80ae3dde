"""What may people do with a rollout?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    PauseRollout,
    PromoteRollout,
    RejectStep,
    ResumeRollout,
    RetryRollout,
    SkipStep,
    StartRollout,
)
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.definitions.plans import write_plan
from flagstaff.definitions.plans.telling import schedule_json, schedule_text
from flagstaff.errors import Conflict, UsageError
from flagstaff.rollouts.event import (
    Aborted,
    Approved,
    Event,
    Paused,
    Promoted,
    Rejected,
    Resumed,
    Retried,
    Skipped,
    Started,
)
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AskPerson,
    CheckDeployed,
    CheckReleased,
    Close,
    DeleteFlag,
    OpenCleanup,
    SetGate,
    Step,
)
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.rollouts.waiting import may_end_early
from flagstaff.services.finding import find_rollout
from flagstaff.services.foreseen import changes_in_words, gates_in_words
from flagstaff.services.moving import move
from flagstaff.services.permissions import check_rollout
from flagstaff.services.policies.steps import check_word
from flagstaff.services.scheduling import schedule_of
from flagstaff.services.unit import Unit
from flagstaff.store.rollouts import RolloutRecord

Verb = (
    AbortRollout
    | ApproveStep
    | PauseRollout
    | PromoteRollout
    | RejectStep
    | ResumeRollout
    | RetryRollout
    | SkipStep
)

ALWAYS_ASKS = (Approve, AskPerson)
MAY_ASK = (Announce, CheckReleased, Close, OpenCleanup)
"""Steps that turn to a person when they cannot go on by themselves."""

NEED_REASON: Mapping[type, str] = {
    AbortRollout: "abort",
    PromoteRollout: "end the wait early",
    RejectStep: "reject",
    SkipStep: "skip",
}
"""What others will want to know the reason of, whoever asks for it."""


def start(unit: Unit, command: StartRollout) -> Outcome:
    """Begin a rollout."""
    record = find_rollout(unit, command.rollout, lock=True)
    if record.rollout.phase is not Phase.PENDING:
        raise Conflict(
            f"rollout {command.rollout} is {record.rollout.phase}, it has begun already",
            hint=f"flagstaff rollout show {command.rollout}",
        )
    begun = _told(begin(unit, record))
    if not unit.rehearsal:
        return begun
    found = schedule_of(unit, record.rollout)
    text = f"{schedule_text(found)}\n\n{begun.text}"
    told: dict[str, Json] = {
        "plan": write_plan(record.rollout.plan),
        "schedule": schedule_json(found),
    }
    return replace(begun, text=text, data={**begun.data, **told})


def begin(unit: Unit, record: RolloutRecord) -> RolloutRecord:
    """Start a pending rollout.

    Raises:
        Refused: the asker may not change what it changes.
    """
    check_rollout(unit, record.rollout.plan)
    return move(unit, record, Started(by=unit.by.name))


def decide(unit: Unit, command: Verb) -> Outcome:
    """Carry out what a person decided about a running rollout.

    Raises:
        UsageError: it undoes, stops or shortens something, and no reason is given.
    """
    _check_reason(command)
    record = find_rollout(unit, command.rollout, lock=True)
    check_rollout(unit, record.rollout.plan, getattr(command, "overrides", ()))
    rollout = record.rollout
    not_begun = rollout.phase is Phase.PENDING and not isinstance(command, AbortRollout)
    if rollout.phase.finished or not_begun:
        raise Conflict(
            f"rollout {command.rollout} is {rollout.phase.replace('_', ' ')}",
            hint=f"start it with: flagstaff rollout start {command.rollout}"
            if rollout.phase is Phase.PENDING
            else "a finished rollout does not change any more; import the issue again",
        )
    if rollout.phase is Phase.EXPIRED and not isinstance(command, AbortRollout | ResumeRollout):
        raise Conflict(
            f"rollout {command.rollout} has expired",
            hint=f"take it up again first: flagstaff rollout resume {command.rollout}",
        )
    event = _event(rollout, command, unit.by.name)
    if isinstance(command, ApproveStep | SkipStep) and isinstance(event, Approved | Skipped):
        check_word(unit, record, command, rollout.plan.step(event.step))
    gates = gates_in_words(unit, rollout.plan.flag) if unit.rehearsal else {}
    moved = move(unit, record, event, reason=command.reason)
    if unit.rehearsal and isinstance(command, AbortRollout):
        changes = changes_in_words(gates, gates_in_words(unit, rollout.plan.flag))
        told = _told(moved)
        text = told.text.replace(" is rolled back", " would be rolled back", 1)
        return replace(told, text=f"{text}\n{changes}")
    if moved.revision == record.revision:
        return _told(moved, "nothing to do: it is already so")
    if isinstance(event, Approved):
        return _told(moved, _approved(moved.rollout, event))
    return _told(moved)


def _check_reason(command: Verb) -> None:
    verb = NEED_REASON.get(type(command))
    if verb is not None and not command.reason.strip():
        raise UsageError(
            f"to {verb}, a reason is needed",
            hint="others will read it in the audit log: one line about why",
        )


def _event(rollout: Rollout, command: Verb, by: str) -> Event:
    match command:
        case ApproveStep():
            step_id = _answered(rollout, command.step, overruled=bool(command.overrides))
            return Approved(step=step_id, by=by, reason=command.reason, overrides=command.overrides)
        case RejectStep():
            return Rejected(step=_answered(rollout, command.step), by=by, reason=command.reason)
        case SkipStep():
            return Skipped(step=_skipped(rollout, command.step), by=by, reason=command.reason)
        case PromoteRollout():
            step = rollout.current
            if step is None or not may_end_early(step):
                raise Conflict(
                    "the rollout is not in a wait that could be ended early",
                    hint=f"it stands at {step.id}: {step.title}" if step else "",
                )
            return Promoted(step=step.id, by=by, reason=command.reason)
        case PauseRollout():
            return Paused(by=by, reason=command.reason or "paused")
        case ResumeRollout():
            if rollout.phase is Phase.EXPIRED:
                return Resumed(by=by, reason=command.reason)
            if rollout.phase is not Phase.PAUSED:
                raise Conflict(f"rollout {rollout.id} is {rollout.phase}, not paused")
            if (failed := _current(rollout)) and failed.status is StepStatus.FAILED:
                raise Conflict(
                    f"step {failed.id} has failed, so there is nothing to go on with",
                    hint=f"flagstaff rollout retry {rollout.id}, or skip {rollout.id} --reason WHY",
                )
            return Resumed(by=by, reason=command.reason)
        case RetryRollout():
            state = _current(rollout)
            if state is None or state.status is not StepStatus.FAILED:
                raise Conflict("no step has failed, so there is nothing to retry")
            return Retried(by=by, reason=command.reason)
        case AbortRollout():
            return Aborted(by=by, reason=command.reason)


def _approved(rollout: Rollout, event: Approved) -> str:
    action = rollout.plan.step(event.step).action
    given = len(rollout.state(event.step).approvals)
    if isinstance(action, Approve) and given < action.count:
        return f"{event.by} has said yes to {event.step}, as {given} of {action.count} people"
    return f"{event.step} is approved by {event.by}; it goes on from there"


def _current(rollout: Rollout) -> StepState | None:
    step = rollout.current
    return rollout.state(step.id) if step else None


def _answered(rollout: Rollout, named: str, *, overruled: bool = False) -> str:
    """Return the step that a yes or no is about: the one named, or the one that waits."""
    step = _named(rollout, named) if named else _at(rollout)
    asks = isinstance(step.action, ALWAYS_ASKS) or (named and isinstance(step.action, MAY_ASK))
    asks = asks or (overruled and isinstance(step.action, SetGate | DeleteFlag))
    if not asks and rollout.state(step.id).status is not StepStatus.WAITING:
        raise Conflict(
            f"step {step.id} ({step.title}) needs nobody's word",
            hint=_instead(step) or "name the step with --step to answer for a later one",
        )
    return step.id


def _instead(step: Step) -> str:
    """Return what lets a step go on that waits for what happens elsewhere."""
    if not isinstance(step.action, CheckDeployed):
        return ""
    sha = step.action.sha
    words = [f"`flagstaff deployment record {name} {sha}`" for name in step.action.environments]
    return f"once the commit runs there: {' and '.join(words)}"


def _skipped(rollout: Rollout, named: str) -> str:
    """Return the step that is skipped: the one named, or the one that waits or has failed."""
    step = _named(rollout, named) if named else _at(rollout)
    stands = rollout.state(step.id).status in {StepStatus.WAITING, StepStatus.FAILED}
    if not named and not stands and not isinstance(step.action, ALWAYS_ASKS):
        raise Conflict(
            f"the rollout is at {step.id} ({step.title}), which goes on by itself",
            hint=f"if it shall be skipped all the same, name it: --step {step.id}",
        )
    return step.id


def _named(rollout: Rollout, named: str) -> Step:
    try:
        step = rollout.plan.step(named)
    except KeyError as exc:
        names = ", ".join(each.id for each in rollout.plan.steps)
        raise UsageError(f"the plan has no step {named}", hint=f"it has {names}") from exc
    status = rollout.state(named).status
    if status.finished:
        raise Conflict(f"step {named} is already {status}")
    return step


def _at(rollout: Rollout) -> Step:
    if rollout.current is None:
        raise Conflict("every step is finished")
    return rollout.current


def _told(record: RolloutRecord, note: str = "") -> Outcome:
    rollout = record.rollout
    step = rollout.current
    text = f"rollout {rollout.id} of {rollout.plan.flag} is {rollout.phase.replace('_', ' ')}"
    if rollout.phase.finished or step is None:
        where = f": {rollout.reason}" if rollout.reason else ""
    else:
        where = f", at {step.id}: {step.title}"
    return Outcome(
        text=f"{text}{where}" + (f"\n{note}" if note else ""),
        data={
            "rollout": rollout.id,
            "flag": rollout.plan.flag,
            "phase": rollout.phase.value,
            "step": step.id if step else None,
        },
        next=f"flagstaff rollout show {rollout.id}",
    )
