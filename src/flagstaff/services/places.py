"""Which environments are there, and what was deployed to them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flagstaff.services.unit import Unit
from flagstaff.store import deployments as deployment_store
from flagstaff.store import flags as flag_store


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentView:
    """A commit that began to run in an environment or deploy stage."""

    id: int
    environment: str
    sha: str
    at: datetime
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentView:
    """One environment; `version` grows with every change of a flag there."""

    name: str
    version: int


def environments(unit: Unit) -> list[EnvironmentView]:
    """Return the project's environments, by name."""
    return [
        EnvironmentView(name=name, version=flag_store.version(unit.connection, name))
        for name in sorted(unit.context.project.environments)
    ]


def deployments(
    unit: Unit, *, environment: str | None = None, below: int | None = None, limit: int = 200
) -> list[DeploymentView]:
    """Return the newest deployments, of one environment or of all."""
    found = deployment_store.find(
        unit.connection, environment=environment, below=below, limit=limit
    )
    return [
        DeploymentView(
            id=number,
            environment=each.environment,
            sha=each.sha,
            at=each.at,
            who=each.who,
        )
        for number, each in found
    ]
