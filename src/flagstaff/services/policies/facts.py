"""What is known about a change, so that policies can judge it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flagstaff.definitions import Definition
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import Answer
from flagstaff.services.deployments import deployed
from flagstaff.services.policies.change import Change, Standing, effective
from flagstaff.services.telemetry import Asked
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store
from flagstaff.store import locks

BY_ACTOR = frozenset({"actors", "percentage_of_actors"})
"""Gates that open only when there is an actor."""

ENOUGH = 5
"""Questions without an actor, and none with one, after which a flag is known to have none."""


def changes_of(
    unit: Unit, flag: str, after: Mapping[str, Gates | None], *, cleanup: bool = False
) -> Iterator[Change]:
    """Yield what changes in each environment; where all stays as it is, nothing does."""
    states = {each.environment: each for each in store.find(unit.connection, flag=flag)}
    definition = unit.context.definitions().get(flag)
    default = definition.default_enabled if definition else False
    now = {name: state.gates for name, state in states.items()}
    standing = {
        name: effective((now | dict(after)).get(name), default).state
        for name in unit.context.project.environments
    }
    held = {
        (each.environment, each.kind): Standing(
            reason=each.reason, who=each.who, since=each.since, until=each.until
        )
        for each in locks.current(unit.connection, unit.now)
    }
    for environment, gates in after.items():
        state = states.get(environment)
        if now.get(environment) == gates:
            continue
        yield Change(
            flag=flag,
            environment=environment,
            before=now.get(environment),
            after=gates,
            default=default,
            now=unit.now,
            by=unit.by,
            changed_at=state.updated_at if state else None,
            standing=standing,
            cleanup=cleanup,
            healthy=unit.healthy,
            deployed=_deployed(unit, definition, environment) if gates else None,
            actorless=_actorless(unit, flag),
            lock=held.get((environment, "lock")),
            incident=held.get((environment, "incident")),
        )


def _deployed(unit: Unit, definition: Definition | None, environment: str) -> Answer | None:
    """Return whether the commit that brought the definition runs there.

    Raises:
        Unavailable: the history does not answer.
    """
    project = unit.context.project
    if not project.policies.require_deployed or definition is None:
        return None
    name = definition.name
    commit = unit.context.history.introduction(f"{project.flags}/**/{name}.y*ml")
    if commit is None:
        return Answer(yes=False, text=f"its definition is not on {project.main_branch} yet")
    return deployed(unit, commit.sha, (environment,))


def _actorless(unit: Unit, flag: str) -> str:
    """Return how it is known that nobody asks for the flag with an actor, or an empty text."""
    telemetry = unit.context.telemetry
    answers = telemetry.answers(flag) if telemetry else []
    asked = telemetry.asked(flag) if telemetry else Asked(flag=flag)
    if asked.with_actor or any(each.value and each.gate in BY_ACTOR for each in answers):
        return ""
    if flag in {each.flag for each in unit.context.project.renames}:
        return (
            "it decides under which name jobs run, and jobs have no actor "
            "(`renames` in flagstaff.yml)"
        )
    if asked.without_actor >= ENOUGH:
        return (
            f"applications ask for it without an actor (all {asked.without_actor} questions that "
            "they looked at)"
        )
    return ""
