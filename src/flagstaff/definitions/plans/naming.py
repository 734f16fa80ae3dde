"""What is a step called when the plan does not say it?"""

from __future__ import annotations

import re

from flagstaff.definitions.duration import format_duration
from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.flags.percentage import format_percentage
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
from flagstaff.rollouts.plan import (
    Action,
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
    SetGate,
    Summary,
)

PRODUCTION = "production"
_LONGEST_ID = 48
"""Of ids made of names of jobs: there is room for a number behind."""

PARTS = {
    CleanupPart.REFERENCES: "Remove all references to the flag",
    CleanupPart.DEFINITION: "Remove the YAML definition",
    CleanupPart.CHANGELOG: "Write the changelog entry",
    CleanupPart.OLD_JOBS: "Remove the old jobs",
    CleanupPart.OLD_QUEUES: "Remove the old queues",
}


def id_of(action: Action) -> str:
    """Return the id of a step that has none, the same as an issue's step would get."""
    match action:
        case SetGate(change=PercentageOfActors(value=share) | PercentageOfTime(value=share)):
            where = "" if action.environments == (PRODUCTION,) else f"-{_place(action)}"
            return f"ramp-{format_percentage(share).replace('.', '-')}{where}"
        case SetGate(change=Boolean(value=value)):
            return f"{'set' if value else 'unset'}-{_place(action)}"
        case SetGate():
            return f"set-{_place(action)}-some"
        case DeleteFlag():
            return f"delete-{_place(action)}"
        case CheckDeployed():
            return f"deployed-{_place(action)}"
        case OpenCleanup(part=part):
            return f"cleanup-{part.replace('_', '-')}"
        case CheckFlag():
            return f"flag-{_place(action)}"
        case CheckCommand(command=command) | RunCommand(command=command):
            return _slug(command)
        case CheckWorkersReady(name=name):
            return f"workers-know-{_slug(name)}"[:_LONGEST_ID]
        case CheckDrained(name=name):
            return f"drained-{_slug(name)}"[:_LONGEST_ID]
        case MigrateJobs(name=name):
            return f"migrate-{_slug(name)}"[:_LONGEST_ID]
        case DeleteQueue(queue=queue):
            return f"delete-queue-{_slug(queue)}"[:_LONGEST_ID]
        case Close(target=target):
            return f"close-{target.replace('_', '-')}"
        case _:
            return _IDS.get(type(action), type(action).__name__.lower())


def title_of(action: Action, flag: str) -> str:
    """Return the title of a step that has none."""
    match action:
        case SetGate(change=change, environments=environments):
            return f"Set {flag} to {change} in {', '.join(environments)}"
        case Bake(duration=duration):
            return f"Wait {format_duration(duration)}"
        case CheckDeployed(sha=sha, environments=environments):
            return f"Check that {sha[:12]} is deployed in {', '.join(environments)}"
        case CheckReleased(request=request, version=version):
            return f"Check that {request or 'the cleanup'} is in {version or 'a release'}"
        case DeleteFlag(environments=environments):
            return f"Delete {flag} in {', '.join(environments)}"
        case Announce(channels=channels):
            return f"Tell {', '.join(channels)}"
        case OpenCleanup(part=part):
            return PARTS[part]
        case CheckFlag(change=change, environments=environments):
            return f"Check that {flag} is {change} in {', '.join(environments)}"
        case CheckHealth(guards=guards):
            return f"Check that {', '.join(guards) or 'production'} is healthy"
        case CheckCommand(command=command):
            return f"Check with {command}"
        case CheckHttp(url=url):
            return f"Check {url}"
        case RunCommand(command=command):
            return f"Run {command}"
        case CheckWorkersReady(name=name):
            return f"Check that every worker knows {name}"
        case CheckDrained(name=name):
            return f"Check that no job of {name} is left"
        case MigrateJobs(name=name, to=to, old_queue=old_queue, new_queue=new_queue):
            where = f", from {old_queue} to {new_queue}" if old_queue else ""
            if name == to:
                return f"Move waiting jobs of {name}{where}"
            return f"Rename waiting jobs of {name} to {to}{where}"
        case DeleteQueue(queue=queue):
            return f"Delete the queue {queue}"
        case Wait(duration=None, until=None, condition=condition):
            return f"Wait until {condition}"
        case Wait(duration=None, until=until) if until is not None:
            return f"Wait until {until:%Y-%m-%d %H:%M %Z}"
        case Wait(duration=duration) if duration is not None:
            return f"Wait {format_duration(duration)}"
        case Close(target=CloseTarget.FEATURE_ISSUE, reference=reference):
            return f"Close {reference or 'the feature issue'}"
        case _:
            return _TITLES.get(type(action), type(action).__name__)


_IDS: dict[type, str] = {
    Bake: "bake",
    Announce: "announce",
    Approve: "approve",
    AskPerson: "ask",
    AwaitMerge: "merge",
    CheckReleased: "release-check",
    Summary: "summary",
    CheckHealth: "healthy",
    CheckHttp: "http",
    Wait: "wait",
}
_TITLES: dict[type, str] = {
    Approve: "Say yes",
    AskPerson: "Do it by hand",
    AwaitMerge: "Merge the cleanup",
    Summary: "All of the above",
    Close: "Close the rollout issue",
}


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "run"


def _place(action: SetGate | DeleteFlag | CheckDeployed | CheckFlag) -> str:
    environments = action.environments
    if PRODUCTION in environments:
        return PRODUCTION if len(environments) == 1 else "everywhere"
    return environments[0] if len(environments) == 1 else "non-production"
