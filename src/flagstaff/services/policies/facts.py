"""What is known about a change, so that policies can judge it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flagstaff.definitions import Definition
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import Answer
from flagstaff.services.deployments import deployed
from flagstaff.services.policies.change import Change, effective
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store

BY_ACTOR = frozenset({"actors", "percentage_of_actors"})
"""Gates that open only when there is an actor."""


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
    if flag not in {each.flag for each in unit.context.project.renames}:
        return ""
    telemetry = unit.context.telemetry
    answers = telemetry.answers(flag) if telemetry else []
    if any(each.value and each.gate in BY_ACTOR for each in answers):
        return ""
    return (
        "it decides under which name jobs run, and jobs have no actor (`renames` in flagstaff.yml)"
    )
