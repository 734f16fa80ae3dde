"""What must be looked at before the next step can be decided?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.rollouts.admitting import is_admitted
from flagstaff.rollouts.checks import (
    AskedOutside,
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    Wait,
)
from flagstaff.rollouts.plan import (
    AwaitMerge,
    CheckDeployed,
    CheckReleased,
    Close,
    CloseTarget,
    DeleteFlag,
    SetGate,
    Step,
)
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus

Check = CheckFlag | CheckHealth | AskedOutside


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedNeed:
    """Does this commit run in these environments?"""

    sha: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedNeed:
    """Is this request, branch or commit in the release?"""

    request: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The questions of one moment; `merged` is the commit whose merge is waited for.

    `policy` asks whether the step may change the flag now, `closing` whether its issue may be
    closed; `check` is the check that the step is, and `condition` what facts are wanted for.
    """

    deployed: DeployedNeed | None = None
    released: ReleasedNeed | None = None
    merged: str = ""
    policy: bool = False
    closing: bool = False
    check: Check | None = None
    condition: str = ""
    guards: bool = False


def needs(rollout: Rollout) -> Needs:
    """Return what `advance` wants to know about the world for the rollout as it stands."""
    if rollout.phase.finished or rollout.phase in {Phase.PENDING, Phase.EXPIRED}:
        return Needs()
    guards = rollout.watching and bool(rollout.plan.guards)
    step = rollout.current
    if step is None or rollout.phase is Phase.PAUSED:
        return Needs(guards=guards)
    if not is_admitted(rollout, step):
        return Needs(condition=step.when, guards=guards)
    match step.action:
        case CheckFlag() | CheckHealth(guards=()):
            return Needs(check=step.action, guards=guards)
        case CheckCommand() | CheckHttp() | CheckWorkersReady() | CheckDrained():
            return Needs(check=step.action, guards=guards)
        case Wait(condition=condition) if condition:
            return Needs(condition=condition, guards=guards)
        case CheckDeployed(sha=sha, environments=environments):
            return Needs(deployed=DeployedNeed(sha=sha, environments=environments), guards=guards)
        case DeleteFlag(environments=environments) if rollout.merged:
            need = DeployedNeed(sha=rollout.merged, environments=environments)
            return Needs(deployed=need, policy=True, guards=guards)
        case SetGate(environments=environments):
            there = _code_for(rollout, step, environments)
            return Needs(deployed=there, policy=True, guards=guards)
        case DeleteFlag():
            return Needs(policy=True, guards=guards)
        case CheckReleased(request=request, version=version) if request or rollout.merged:
            subject = request or rollout.merged
            return Needs(released=ReleasedNeed(request=subject, version=version), guards=guards)
        case AwaitMerge() if rollout.cleanup is not None:
            return Needs(merged=rollout.cleanup.commit, guards=guards)
        case Close(target=CloseTarget.ROLLOUT_ISSUE):
            return Needs(closing=True, guards=guards)
        case _:
            return Needs(guards=guards)


def _code_for(rollout: Rollout, step: Step, environments: tuple[str, ...]) -> DeployedNeed | None:
    """Return the code that has to be there still when the flag is changed in some environments.

    It is what the last check before the step saw there, as long as no person answered for it. A
    name that no step of the plan changes the flag in is that of a deploy stage, such as a canary.
    """
    steps = rollout.plan.steps
    changed = {
        name
        for each in steps
        if isinstance(each.action, SetGate)
        for name in each.action.environments
    }
    before = steps[: next(place for place, each in enumerate(steps) if each.id == step.id)]
    for earlier in reversed(before):
        action, state = earlier.action, rollout.state(earlier.id)
        if not isinstance(action, CheckDeployed):
            continue
        if not set(action.environments) & set(environments):
            continue
        if state.status is not StepStatus.DONE or state.by:
            return None
        places = (e for e in action.environments if e in environments or e not in changed)
        return DeployedNeed(sha=action.sha, environments=tuple(places))
    return None
