"""What does one request work with? One transaction, one moment, one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from flagstaff.definitions import Definitions, Project
from flagstaff.errors import NotFound, Unavailable, UsageError
from flagstaff.rollouts.event import Answer
from flagstaff.services.person import Person
from flagstaff.services.ports import HealthCheck, IssueReader, MergeRequests, OnCallBook, Repository
from flagstaff.services.telemetry import Telemetry
from flagstaff.store import audit, rollouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What stays the same from request to request; `address` is where pages are to be found."""

    root: Path
    project: Project
    definitions: Callable[[], Definitions]
    repository: Repository | None
    health: HealthCheck | None = None
    on_call: OnCallBook | None = None
    requests: MergeRequests | None = None
    telemetry: Telemetry | None = None
    address: Callable[[], str] = str
    issues: IssueReader | None = None

    @property
    def history(self) -> Repository:
        """Return the project's repository.

        Raises:
            Unavailable: the project is not in a git repository.
        """
        if self.repository is None:
            raise Unavailable(
                f"{self.root} is not in a git repository, so commits cannot be looked up",
                hint="run `git init` there, or start the server inside the repository",
            )
        return self.repository

    @property
    def environments(self) -> tuple[str, ...]:
        """Return the names of the project's environments, in order."""
        return self.project.environments

    @property
    def stages(self) -> Mapping[str, str]:
        """Return the stages that are only deployed to, and the environment whose flags they see."""
        return self.project.stages

    def check_environments(self, names: tuple[str, ...]) -> None:
        """Refuse no environment at all, and environments that the project does not have.

        Raises:
            UsageError: naming the unknown ones and the known.
        """
        if not names:
            raise UsageError(
                "no environment is named",
                hint=f"this project has {', '.join(self.project.environments)}",
            )
        unknown = [name for name in names if name not in self.project.environments]
        if unknown:
            raise UsageError(
                f"there is no environment {', '.join(unknown)}",
                hint=f"this project has {', '.join(self.project.environments)}",
            )


class Overruled(NamedTuple):
    """Which policies are overruled, and why; empty when none is."""

    names: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of work.

    Attributes:
        now: The time that rollouts live in.
        wall: The real time, in which secrets expire.
        healthy: What was said about production before it began; None when nobody was asked.
        rehearsal: Whether all of it will be taken back.
        changed: What others will want to hear of after the commit.
        overruled: The policies that are overruled, by flag and environment.
        entries: What will be appended to the audit log when all else is done.
    """

    context: Context
    connection: Connection
    now: datetime
    wall: datetime
    by: Person
    healthy: Answer | None = None
    rehearsal: bool = False
    changed: set[str] = field(default_factory=set)
    overruled: dict[tuple[str, str], Overruled] = field(default_factory=dict)
    entries: list[audit.AuditEntry] = field(default_factory=list)

    def record(self, action: str, **details: object) -> audit.AuditEntry:
        """Append to the audit log, when the unit of work ends well."""
        entry = audit.AuditEntry(
            at=self.now,
            who=self.by.name,
            source=self.by.source.value,
            action=action,
            **details,  # type: ignore[arg-type]
        )
        self.entries.append(entry)
        return entry

    def once(self, secret: str) -> str:
        """Return a secret as it is said to whoever made it: a rehearsal has made none."""
        return "(said when it is made)" if self.rehearsal else secret

    def known_flag(self, name: str) -> None:
        """Refuse a flag that nobody has defined.

        Raises:
            NotFound: with the names that look like it, or with what is wrong in its file.
        """
        definitions = self.context.definitions()
        if name in definitions or name.startswith(WORKER_PREFIXES):
            return
        if wrong := definitions.wrong(name):
            raise NotFound(
                f"the definition of {name} is wrong: {wrong}",
                hint="mend the file; `flagstaff lint` shows all that is wrong",
            )
        for gone in rollouts.find(self.connection, flag=name, limit=1):
            number = gone.rollout.id
            raise NotFound(
                f"{name} is defined no more; rollout {number} was its last",
                hint=f"flagstaff rollout show {number}, or: flagstaff audit list --flag {name}",
            )
        near = definitions.near(name)
        hint = f"did you mean {' or '.join(near)}?" if near else "define it in YAML first"
        raise NotFound(f"no flag {name} is defined under {self.context.project.flags}", hint=hint)


WORKER_PREFIXES = ("run_sidekiq_jobs_", "drop_sidekiq_jobs_", "run_jobs_", "drop_jobs_")
"""Switches of background jobs are named after the job and have no YAML."""
