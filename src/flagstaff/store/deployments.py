"""Which commit runs where?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from flagstaff.store.tables import deployment as table


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A commit that began to run in an environment or deploy stage."""

    environment: str
    sha: str
    at: datetime
    who: str


def add(connection: Connection, deployment: Deployment) -> None:
    """Note a deployment."""
    connection.execute(
        insert(table).values(
            environment=deployment.environment,
            sha=deployment.sha,
            at=deployment.at,
            who=deployment.who,
        )
    )


def current(connection: Connection) -> dict[str, Deployment]:
    """Return the newest deployment of every environment that has one."""
    newest = select(func.max(table.c.id)).group_by(table.c.environment)
    query = select(table.c.environment, table.c.sha, table.c.at, table.c.who)
    rows = connection.execute(
        query.where(table.c.id.in_(newest)).order_by(table.c.environment)
    ).mappings()
    return {row["environment"]: Deployment(**row) for row in rows}


def find(
    connection: Connection, *, environment: str | None, below: int | None, limit: int
) -> list[tuple[int, Deployment]]:
    """Return deployments with their numbers, newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if environment is not None:
        query = query.where(table.c.environment == environment)
    if below is not None:
        query = query.where(table.c.id < below)
    return [
        (row.id, Deployment(environment=row.environment, sha=row.sha, at=row.at, who=row.who))
        for row in connection.execute(query)
    ]
