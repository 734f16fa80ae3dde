"""How does each kind of step go forward, given what was seen?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never, get_args

from flagstaff.rollouts.admitting import admit, is_admitted
from flagstaff.rollouts.checks import (
    AskedOutside,
    BrokerWork,
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
from flagstaff.rollouts.effect import (
    ChangeBroker,
    ChangeFlag,
    CloseIssue,
    Effect,
    InvokeCommand,
    Post,
    RemoveFlag,
    WriteCleanup,
)
from flagstaff.rollouts.event import Answer, EffectDone, EffectHeld, Observed
from flagstaff.rollouts.failing import failed
from flagstaff.rollouts.judging import shown_safe, waited
from flagstaff.rollouts.noting import ask, done, stands
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
from flagstaff.rollouts.rolling_back import Moved, put_back
from flagstaff.rollouts.rollout import Rollout, StepStatus
from flagstaff.rollouts.waiting import approve, wait

Look = CheckDeployed | CheckReleased | AwaitMerge | CheckFlag | CheckHealth | AskedOutside
TIMED = (*get_args(Look), *get_args(BrokerWork), Wait)

PARTS = {
    CleanupPart.REFERENCES: "the references to the flag",
    CleanupPart.DEFINITION: "the YAML definition",
    CleanupPart.CHANGELOG: "the changelog entry",
    CleanupPart.OLD_JOBS: "the old jobs",
    CleanupPart.OLD_QUEUES: "the old queues",
}


def perform(rollout: Rollout, step: Step, seen: Observed, now: datetime) -> Moved:
    """Return the rollout after trying to move `step`, the current one, by what was `seen`."""
    state = rollout.state(step.id)
    if state.retry_at is not None:
        if now < state.retry_at:
            return rollout, ()
        rollout = rollout.with_state(replace(state, retry_at=None))
    if not is_admitted(rollout, step):
        return admit(rollout, step, seen.facts, now), ()
    moved, effects = _perform(rollout, step, seen, now)
    return _in_time(moved, step, now, effects)


def _perform(rollout: Rollout, step: Step, seen: Observed, now: datetime) -> Moved:
    match step.action:
        case Summary():
            return done(rollout, step, "", now), ()
        case Approve():
            return approve(rollout, step, step.action, now)
        case AskPerson():
            return ask(rollout, step, "", now), ()
        case SetGate():
            return _set(rollout, step, step.action, seen, now)
        case Bake():
            return _bake(rollout, step, step.action, now)
        case Wait():
            return wait(rollout, step, step.action, seen.facts, now), ()
        case DeleteFlag():
            return _delete(rollout, step, step.action, seen, now)
        case OpenCleanup():
            return _cleanup(rollout, step, step.action, now)
        case Announce() | RunCommand() | MigrateJobs() | DeleteQueue():
            return _once(rollout, step, _outside(rollout, step, step.action), now)
        case Close():
            return _close(rollout, step, _outside(rollout, step, step.action), seen, now)
        case _:
            return _look(rollout, step, step.action, seen, now), ()


def _look(rollout: Rollout, step: Step, action: Look, seen: Observed, now: datetime) -> Rollout:
    """Return the rollout after a check, which never does anything."""
    match action:
        case CheckDeployed():
            return _hold(rollout, step, seen.deployed, now)
        case CheckReleased():
            return _check_released(rollout, step, action, seen, now)
        case AwaitMerge():
            return _await_merge(rollout, step, seen, now)
        case CheckHealth(guards=names) if names:
            return _hold(rollout, step, shown_safe(rollout, names, now), now)
        case CheckFlag() | CheckHealth():
            return _hold(rollout, step, seen.check, now)
        case CheckCommand() | CheckHttp() | CheckWorkersReady() | CheckDrained():
            return _hold(rollout, step, seen.check, now)
        case _:
            assert_never(action)


def _in_time(rollout: Rollout, step: Step, now: datetime, effects: tuple[Effect, ...]) -> Moved:
    """Return the same, failed if it is a check or a wait whose time is up."""
    state = rollout.state(step.id)
    asks = isinstance(step.action, TIMED) and state.status is StepStatus.ACTIVE
    if step.timeout is None or not asks or state.since is None:
        return rollout, effects
    if state.until is None:
        limited = replace(state, until=now + step.timeout)
        return rollout.with_state(limited), effects
    if now < state.until:
        return rollout, effects
    late = f"not so by {state.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {state.note}"
    moved, more = failed(rollout, step, late, now, output=state.output)
    return moved, (*effects, *more)


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
            return stands(rollout, step, StepStatus.WAITING, event.ask, now)
        case Announce() | Close() | RunCommand() | MigrateJobs() | DeleteQueue():
            said = replace(rollout.state(step.id), output=event.output)
            return done(rollout.with_state(said), step, event.note, now)
        case _:
            return rollout


def effect_held(rollout: Rollout, event: EffectHeld, now: datetime) -> Rollout:
    """Return the rollout with the reason why its step is not done yet."""
    step = rollout.current
    if step is None or step.id != event.step:
        return rollout
    state = rollout.state(step.id)
    if state.status is not StepStatus.ACTIVE:
        return rollout
    said = rollout.with_state(replace(state, output=event.output))
    return stands(said, step, StepStatus.ACTIVE, event.reason, now)


def _key(rollout: Rollout, step: Step, *more: str) -> str:
    return "/".join((str(rollout.id), step.id, str(rollout.epoch), *more))


def _outside(
    rollout: Rollout, step: Step, action: Announce | Close | RunCommand | BrokerWork
) -> Effect:
    key = _key(rollout, step)
    match action:
        case Announce():
            return Post(key=key, step=step.id, channels=action.channels, text=action.text)
        case Close():
            return CloseIssue(
                key=key, step=step.id, target=action.target, reference=action.reference
            )
        case RunCommand():
            return InvokeCommand(key=key, step=step.id, command=action.command)
        case MigrateJobs() | DeleteQueue():
            return ChangeBroker(key=key, step=step.id, work=action)
        case _:
            assert_never(action)


def _hold(rollout: Rollout, step: Step, answer: Answer | None, now: datetime) -> Rollout:
    """Finish the step on a yes; on a no, or no answer, stay and say why."""
    if answer is None:
        return stands(rollout, step, StepStatus.ACTIVE, "waiting for an answer", now)
    if answer.output:
        state = replace(rollout.state(step.id), output=answer.output)
        rollout = rollout.with_state(state)
    if answer.yes:
        return done(rollout, step, answer.text, now)
    return stands(rollout, step, StepStatus.ACTIVE, answer.text, now)


def _hold_change(rollout: Rollout, step: Step, answer: Answer, now: datetime) -> Rollout:
    """Return the rollout with a change of the flag held by policy, until when if that is known."""
    held = _hold(rollout, step, answer, now)
    return held.with_state(replace(held.state(step.id), until=answer.until))


def _check_released(
    rollout: Rollout, step: Step, action: CheckReleased, seen: Observed, now: datetime
) -> Rollout:
    if not action.request and not rollout.merged:
        question = "nobody has told which commit to look for: check the release, then approve"
        return ask(rollout, step, question, now)
    return _hold(rollout, step, seen.released, now)


def _once(rollout: Rollout, step: Step, effect: Effect, now: datetime) -> Moved:
    """Ask for an external effect when the step begins, then wait for its result."""
    match rollout.state(step.id).status:
        case StepStatus.PENDING:
            return stands(rollout, step, StepStatus.ACTIVE, "", now), (effect,)
        case StepStatus.WAITING:
            return ask(rollout, step, "", now), ()
        case _:
            return rollout, ()


def _close(rollout: Rollout, step: Step, close: Effect, seen: Observed, now: datetime) -> Moved:
    """Ask for the issue to be closed once that may be; until then the step says why not."""
    state = rollout.state(step.id)
    held = state.status is StepStatus.ACTIVE and bool(state.note)
    if seen.closing is not None and (held or state.status is StepStatus.PENDING):
        if not seen.closing.yes:
            return stands(rollout, step, StepStatus.ACTIVE, seen.closing.text, now), ()
        return stands(rollout, step, StepStatus.ACTIVE, "", now), (close,)
    return _once(rollout, step, close, now)


def _set(rollout: Rollout, step: Step, action: SetGate, seen: Observed, now: datetime) -> Moved:
    if seen.deployed is not None and not seen.deployed.yes:
        # It was there when the plan looked: a deployment has been taken back since.
        note = f"{seen.deployed.text}, where it was before; the change waits until it is again"
        return stands(rollout, step, StepStatus.ACTIVE, note, now), ()
    if seen.policy is not None and not seen.policy.yes:
        return _hold_change(rollout, step, seen.policy, now), ()
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
    moved = done(rollout, step, f"{rollout.plan.flag} set to {action.change} in {where}", now)
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


def _bake(rollout: Rollout, step: Step, action: Bake, now: datetime) -> Moved:
    """Return the rollout after looking whether a bake is over: by its time, and by its guards.

    Its time is what has passed, whether or not anybody looked; guards are asked all the same.
    """
    state = rollout.state(step.id)
    if state.until is None:
        begun = replace(state, status=StepStatus.ACTIVE, since=now, until=now + action.duration)
        return rollout.with_state(begun), ()
    if now < state.until:
        return rollout, ()
    if not (rollout.watching and rollout.plan.guards):
        return done(rollout, step, "", now), ()
    guards = waited(rollout, now, action)
    if guards.rolls_back:
        return put_back(rollout, guards.note, now)
    if guards.ends:
        return done(rollout, step, guards.note, now), ()
    return stands(rollout, step, StepStatus.ACTIVE, guards.note, now), ()


def _delete(
    rollout: Rollout, step: Step, action: DeleteFlag, seen: Observed, now: datetime
) -> Moved:
    if rollout.merged and (seen.deployed is None or not seen.deployed.yes):
        return _hold(rollout, step, seen.deployed, now), ()
    if seen.policy is not None and not seen.policy.yes:
        return _hold_change(rollout, step, seen.policy, now), ()
    effects = tuple(
        RemoveFlag(key=_key(rollout, step, environment), step=step.id, environment=environment)
        for environment in action.environments
    )
    note = f"{rollout.plan.flag} deleted in {', '.join(action.environments)}"
    return done(rollout, step, note, now), effects


def _await_merge(rollout: Rollout, step: Step, seen: Observed, now: datetime) -> Rollout:
    if rollout.cleanup is None:
        return ask(rollout, step, "merge the cleanup, then approve this step", now)
    if not seen.merged:
        note = f"waiting for `{rollout.cleanup.branch}` to be reviewed and merged"
        return stands(rollout, step, StepStatus.ACTIVE, note, now)
    merged = replace(rollout, merged=seen.merged)
    note = f"`{rollout.cleanup.branch}` merged as {seen.merged[:12]}"
    return done(merged, step, note, now)


def _cleanup(rollout: Rollout, step: Step, action: OpenCleanup, now: datetime) -> Moved:
    cleanup = rollout.cleanup
    if cleanup is None:
        write = WriteCleanup(key=_key(rollout, step), step=step.id)
        return _once(rollout, step, write, now)
    if action.part in cleanup.parts:
        note = f"{PARTS[action.part]}: on `{cleanup.branch}` ({cleanup.commit[:12]})"
        return done(rollout, step, note, now), ()
    missing = f"`{cleanup.branch}` does not hold {PARTS[action.part]}: add it there, then approve"
    if action.part is CleanupPart.REFERENCES and cleanup.residues:
        first, *others = cleanup.residues
        more = f", the first of {len(cleanup.residues)} lines" if others else ""
        missing = (
            f"`{cleanup.branch}` still names the flag{more}: {first}. Mend what may ask for it "
            f"there, then approve; `flagstaff cleanup {rollout.plan.flag}` lists all"
        )
    return ask(rollout, step, missing, now), ()
