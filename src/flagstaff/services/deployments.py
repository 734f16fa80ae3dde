"""Which commit has arrived where, and in which release is it?"""

from __future__ import annotations

import re

from flagstaff.commands.model import AutoDeployStatus, RecordDeployment, ReleaseCheck
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import NotFound, UsageError
from flagstaff.rollouts.event import Answer
from flagstaff.services import merge_requests
from flagstaff.services.ports import Commit
from flagstaff.services.unit import Unit
from flagstaff.store import deployments as store
from flagstaff.store.deployments import Deployment

MONTHLY = re.compile(r"[0-9]+\.[0-9]+")


def record_deployment(unit: Unit, command: RecordDeployment) -> Outcome:
    """Note that a commit runs in an environment or deploy stage."""
    project = unit.context.project
    places = (*project.environments, *project.stages)
    if command.environment not in places:
        raise UsageError(
            f"there is no environment or deploy stage {command.environment}",
            hint=f"this project has {', '.join(places)}",
        )
    commit = known_commit(unit, command.sha)
    deployment = Deployment(
        environment=command.environment, sha=commit.sha, at=unit.now, who=unit.by.name
    )
    store.add(unit.connection, deployment)
    text = f"{command.environment} now runs {commit.short} {commit.title}"
    unit.record("deployment.record", environment=command.environment, text=text)
    unit.changed.add("deployments")
    return Outcome(
        text=text,
        data={"environment": command.environment, "sha": commit.sha, "title": commit.title},
        next=f"flagstaff auto_deploy status {commit.short}",
    )


def auto_deploy_status(unit: Unit, command: AutoDeployStatus) -> Outcome:
    """Say what runs where, or where a commit has arrived."""
    current = store.current(unit.connection)
    if command.sha:
        return _arrived(unit, known_commit(unit, command.sha), current)
    if not current:
        return Outcome(
            ok=False,
            text="no deployment has been recorded yet",
            next="flagstaff deployment record ENVIRONMENT SHA",
        )
    lines = []
    for name, deployment in current.items():
        commit = unit.context.history.find(deployment.sha)
        title = commit.title if commit else "(no longer in the repository)"
        when = f"{deployment.at:%Y-%m-%d %H:%M} UTC"
        lines.append(f"{name}: {deployment.sha[:12]} {title} (since {when})")
    return Outcome(text="\n".join(lines), data={name: each.sha for name, each in current.items()})


def _arrived(unit: Unit, commit: Commit, current: dict[str, Deployment]) -> Outcome:
    history = unit.context.history
    where = [name for name, each in current.items() if history.contains(each.sha, commit.sha)]
    head = f"{commit.short} {commit.title}"
    if not where:
        return Outcome(
            ok=False,
            text=f"{head}\nis not deployed anywhere yet",
            data={"sha": commit.sha, "environments": []},
        )
    return Outcome(
        text=f"{head}\nis deployed to {', '.join(where)}",
        data={"sha": commit.sha, "environments": list(where)},
    )


def deployed(unit: Unit, sha: str, environments: tuple[str, ...]) -> Answer:
    """Answer whether the commit runs in every one of the environments."""
    history = unit.context.history
    current = store.current(unit.connection)
    missing = []
    for name in environments:
        runs = current.get(name)
        if runs is None:
            missing.append(f"{name} (none recorded: flagstaff deployment record {name} SHA)")
        elif not history.contains(runs.sha, sha):
            missing.append(f"{name} (runs {runs.sha[:12]})")
    commit = history.find(sha)
    name = f"`{commit.short}` {commit.title}" if commit else f"`{sha}`"
    if missing:
        return Answer(yes=False, text=f"{name} is not yet deployed to {', '.join(missing)}")
    return Answer(yes=True, text=f"{name} is deployed to {', '.join(environments)}")


def release_check(unit: Unit, command: ReleaseCheck) -> Outcome:
    """Say in which release a merge request, branch or commit is."""
    check_version(command.version)
    request = command.request.strip()
    asked = merge_requests.look_up(unit, request)
    if asked.answer is not None:
        answer = asked.answer
    else:
        answer = released(unit, asked.commit or request, command.version)
    text = f"{answer.text}\n{asked.note}" if asked.note else answer.text
    return Outcome(ok=answer.yes, text=text, data={"included": answer.yes})


def released(unit: Unit, request: str, version: str) -> Answer:
    """Answer whether a branch or commit is in a release; `version` is `X.Y` or empty.

    Raises:
        UsageError: the version is no monthly release.
        NotFound: the repository knows no such branch or commit.
    """
    check_version(version)
    history = unit.context.history
    main = unit.context.project.main_branch
    commit = known_commit(unit, request)
    merge = history.merge_of(commit.sha, main)
    if not merge:
        return Answer(yes=False, text=f"`{request}` has not been merged into {main} yet")
    if tag := history.first_release(merge):
        return Answer(yes=True, text=f"`{merge[:12]}` was first released in {tag}")
    if not version:
        hint = "name the coming version to ask about it"
        return Answer(yes=False, text=f"`{merge[:12]}` is in no release yet; {hint}")
    if branch := history.stable_branch(version):
        if history.contains(branch, merge):
            text = f"`{merge[:12]}` is in {branch} and will be released in {version}"
            return Answer(yes=True, text=text)
        text = f"`{merge[:12]}` is not in {branch} and will not be released in {version}"
        return Answer(yes=False, text=text)
    production = deployed(unit, merge, ("production",))
    if production.yes:
        text = f"`{merge[:12]}` runs in production and will most likely be in {version}"
    else:
        text = f"`{merge[:12]}` is not yet in production, so it cannot be in {version} until it is"
    return Answer(yes=False, text=f"{text}; {version} has not been cut")


def check_version(version: str) -> None:
    """Refuse a version that no monthly release has.

    Raises:
        UsageError: saying how they look.
    """
    if version and not MONTHLY.fullmatch(version):
        raise UsageError(
            f"{version!r} is not a monthly release", hint="write it as X.Y, for example 15.2"
        )


def known_commit(unit: Unit, name: str) -> Commit:
    """Return the commit that a hash, branch or tag names.

    Raises:
        NotFound: the repository does not know it.
    """
    commit = unit.context.history.find(name)
    if commit is None:
        raise NotFound(
            f"the repository knows no commit {name}",
            hint="fetch first if it is new; a hash needs at least 4 characters",
        )
    return commit
