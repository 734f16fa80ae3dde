"""How does each kind of step go forward, given what was seen?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from flagstaff.rollouts.effect import (
    ChangeFlag,
    CloseIssue,
    Effect,
    Post,
    RemoveFlag,
    WriteCleanup,
)
from flagstaff.rollouts.event import Answer, EffectDone, Observed
from flagstaff.rollouts.judging import waited
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
    DeleteFlag,
    OpenCleanup,
    SetGate,
    Step,
    Summary,
)
from flagstaff.rollouts.rollout import Rollout, StepStatus

Moved = tuple[Rollout, tuple[Effect, ...]]

PARTS = {
    CleanupPart.REFERENCES: "the references to the flag",
    CleanupPart.DEFINITION: "the YAML definition",
    CleanupPart.CHANGELOG: "the changelog entry",
    CleanupPart.OLD_JOBS: "the old jobs",
    CleanupPart.OLD_QUEUES: "the old queues",
}


def perform(rollout: Rollout, step: Step, seen: Observed, now: datetime) -> Moved:
    """Return the rollout after trying to move `step`, the current one, by what was `seen`."""
    match step.action:
        case Summary():
            return _done(rollout, step, "", now), ()
        case Approve() | AskPerson():
            return _ask(rollout, step, "", now), ()
        case SetGate():
            return _set(rollout, step, step.action, seen, now)
        case Bake():
            return _bake(rollout, step, step.action, now), ()
        case CheckDeployed():
            return _hold(rollout, step, seen.deployed, now), ()
        case CheckReleased():
            return _check_released(rollout, step, step.action, seen, now), ()
        case DeleteFlag():
            return _delete(rollout, step, step.action, seen, now)
        case AwaitMerge():
            return _await_merge(rollout, step, seen, now), ()
        case OpenCleanup():
            return _cleanup(rollout, step, step.action, now)
        case Announce():
            post = Post(
                key=_key(rollout, step),
                step=step.id,
                channels=step.action.channels,
                text=step.action.text,
            )
            return _once(rollout, step, post, now)
        case Close():
            close = CloseIssue(
                key=_key(rollout, step),
                step=step.id,
                target=step.action.target,
                reference=step.action.reference,
            )
            return _close(rollout, step, close, seen, now)
        case _:
            assert_never(step.action)


def effect_done(rollout: Rollout, event: EffectDone, now: datetime) -> Rollout:
    """Return the rollout after an external effect of its step has happened."""
    step = rollout.current
    if step is None or step.id != event.step:
        return rollout
    if rollout.state(step.id).status is not StepStatus.ACTIVE:
        return rollout
    match step.action:
        case OpenCleanup() if rollout.cleanup is None:
            return replace(rollout, cleanup=event.cleanup)
        case Announce() | Close() if event.ask:
            return _standing(rollout, step, StepStatus.WAITING, event.ask, now)
        case Announce() | Close():
            return _done(rollout, step, event.note, now)
        case _:
            return rollout


def _key(rollout: Rollout, step: Step, *more: str) -> str:
    return "/".join((str(rollout.id), step.id, str(rollout.epoch), *more))


def _done(rollout: Rollout, step: Step, note: str, now: datetime, by: str = "") -> Rollout:
    state = rollout.state(step.id)
    return rollout.with_state(
        replace(
            state,
            status=StepStatus.DONE,
            since=state.since or now,
            finished_at=now,
            note=note,
            by=by,
        )
    )


def _standing(
    rollout: Rollout, step: Step, status: StepStatus, note: str, now: datetime
) -> Rollout:
    state = rollout.state(step.id)
    return rollout.with_state(replace(state, status=status, since=state.since or now, note=note))


def _ask(rollout: Rollout, step: Step, question: str, now: datetime) -> Rollout:
    state = rollout.state(step.id)
    if state.approved_by:
        note = f"approved by {state.approved_by}"
        note += f": {state.approval_note}" if state.approval_note else ""
        return _done(rollout, step, note, now, by=state.approved_by)
    return _standing(rollout, step, StepStatus.WAITING, question or state.note, now)


def _hold(rollout: Rollout, step: Step, answer: Answer | None, now: datetime) -> Rollout:
    """Finish the step on a yes; on a no, or no answer, stay and say why."""
    if answer is None:
        return _standing(rollout, step, StepStatus.ACTIVE, "waiting for an answer", now)
    if answer.yes:
        return _done(rollout, step, answer.text, now)
    return _standing(rollout, step, StepStatus.ACTIVE, answer.text, now)


def _check_released(
    rollout: Rollout, step: Step, action: CheckReleased, seen: Observed, now: datetime
) -> Rollout:
    if not action.request and not rollout.merged:
        question = "nobody has told which commit to look for: check the release, then approve"
        return _ask(rollout, step, question, now)
    return _hold(rollout, step, seen.released, now)


def _once(rollout: Rollout, step: Step, effect: Effect, now: datetime) -> Moved:
    """Ask for an external effect when the step begins, then wait for its result."""
    match rollout.state(step.id).status:
        case StepStatus.PENDING:
            return _standing(rollout, step, StepStatus.ACTIVE, "", now), (effect,)
        case StepStatus.WAITING:
            return _ask(rollout, step, "", now), ()
        case _:
            return rollout, ()


def _close(rollout: Rollout, step: Step, close: CloseIssue, seen: Observed, now: datetime) -> Moved:
    """Ask for the issue to be closed once that may be; until then the step says why not."""
    state = rollout.state(step.id)
    held = state.status is StepStatus.ACTIVE and bool(state.note)
    if seen.closing is not None and (held or state.status is StepStatus.PENDING):
        if not seen.closing.yes:
            return _standing(rollout, step, StepStatus.ACTIVE, seen.closing.text, now), ()
        return _standing(rollout, step, StepStatus.ACTIVE, "", now), (close,)
    return _once(rollout, step, close, now)


def _set(rollout: Rollout, step: Step, action: SetGate, seen: Observed, now: datetime) -> Moved:
    if seen.policy is not None and not seen.policy.yes:
        return _hold(rollout, step, seen.policy, now), ()
    effects: list[Effect] = [
        ChangeFlag(
            key=_key(rollout, step, environment),
            step=step.id,
            environment=environment,
            change=action.change,
        )
        for environment in action.environments
    ]
    where = ", ".join(action.environments)
    moved = _done(rollout, step, f"{rollout.plan.flag} set to {action.change} in {where}", now)
    in_production = any(name in rollout.plan.production for name in action.environments)
    if in_production:
        moved = replace(moved, watch_since=rollout.watch_since or now)
    if in_production and rollout.plan.announce_to:
        text = f"`{rollout.plan.flag}` has been set to {action.change} in {where}"
        effects.append(
            Post(
                key=_key(rollout, step, "post"),
                step=step.id,
                channels=rollout.plan.announce_to,
                text=text,
            )
        )
    return moved, tuple(effects)


def _bake(rollout: Rollout, step: Step, action: Bake, now: datetime) -> Rollout:
    state = rollout.state(step.id)
    if state.until is None:
        begun = replace(state, status=StepStatus.ACTIVE, since=now, until=now + action.duration)
        return rollout.with_state(begun)
    if now < state.until:
        return rollout
    if not (rollout.watching and rollout.plan.guards):
        return _done(rollout, step, "", now)
    guards = waited(rollout, now)
    if guards.ends:
        return _done(rollout, step, guards.note, now)
    return _standing(rollout, step, StepStatus.ACTIVE, guards.note, now)


def _delete(
    rollout: Rollout, step: Step, action: DeleteFlag, seen: Observed, now: datetime
) -> Moved:
    if rollout.merged and (seen.deployed is None or not seen.deployed.yes):
        return _hold(rollout, step, seen.deployed, now), ()
    if seen.policy is not None and not seen.policy.yes:
        return _hold(rollout, step, seen.policy, now), ()
    effects = tuple(
        RemoveFlag(key=_key(rollout, step, environment), step=step.id, environment=environment)
        for environment in action.environments
    )
    note = f"{rollout.plan.flag} deleted in {', '.join(action.environments)}"
    return _done(rollout, step, note, now), effects


def _await_merge(rollout: Rollout, step: Step, seen: Observed, now: datetime) -> Rollout:
    if rollout.cleanup is None:
        return _ask(rollout, step, "merge the cleanup, then approve this step", now)
    if not seen.merged:
        note = f"waiting for `{rollout.cleanup.branch}` to be reviewed and merged"
        return _standing(rollout, step, StepStatus.ACTIVE, note, now)
    merged = replace(rollout, merged=seen.merged)
    note = f"`{rollout.cleanup.branch}` merged as {seen.merged[:12]}"
    return _done(merged, step, note, now)


def _cleanup(rollout: Rollout, step: Step, action: OpenCleanup, now: datetime) -> Moved:
    cleanup = rollout.cleanup
    if cleanup is None:
        write = WriteCleanup(key=_key(rollout, step), step=step.id)
        return _once(rollout, step, write, now)
    if action.part in cleanup.parts:
        note = f"{PARTS[action.part]}: on `{cleanup.branch}` ({cleanup.commit[:12]})"
        return _done(rollout, step, note, now), ()
    missing = f"`{cleanup.branch}` does not hold {PARTS[action.part]}: add it there, then approve"
    return _ask(rollout, step, missing, now), ()
