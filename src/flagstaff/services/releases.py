"""What runs where: which commit, since when, and with which flags?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flagstaff.errors import FlagstaffError
from flagstaff.services import views
from flagstaff.services.permissions import visible
from flagstaff.services.places import DeploymentView, deployments
from flagstaff.services.unit import Unit
from flagstaff.services.views import FlagCell
from flagstaff.store import deployments as store

EARLIER = 5
MOST_FLAGS = 50
"""Flags that are named of a place; there may be a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitView:
    """A commit that runs; `title` and `release` are empty where the repository knows none.

    `behind` says that the newest deployment elsewhere contains it, and is another one.
    """

    sha: str
    title: str
    release: str
    since: datetime
    who: str
    behind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagThere:
    """A flag that somebody has set there."""

    name: str
    cell: FlagCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs in one environment or deploy stage; a stage sees the flags of `environment`.

    `flags` are the first of the `flag_count` that are set there, by name.
    """

    place: str
    environment: str
    commit: CommitView | None
    flags: tuple[FlagThere, ...]
    flag_count: int
    earlier: tuple[DeploymentView, ...]

    @property
    def is_stage(self) -> bool:
        """Return whether it has no flags of its own."""
        return self.place != self.environment


def running(unit: Unit) -> list[Running]:
    """Return what runs in the environments that the asker may look into, and in their stages."""
    known, project = visible(unit), unit.context.project
    stages = {name: main for name, main in project.stages.items() if main in known}
    places = {**{name: name for name in known}, **stages}
    current = {
        name: each for name, each in store.current(unit.connection).items() if name in places
    }
    newest = max(current.values(), key=lambda each: each.at, default=None)
    flags = views.flags_set(unit, known)
    found = []
    for place, environment in places.items():
        deployed = current.get(place)
        there = flags[environment]
        log = deployments(unit, environment=place, limit=EARLIER + 1) if deployed else []
        found.append(
            Running(
                place=place,
                environment=environment,
                commit=_commit(unit, deployed, newest) if deployed else None,
                flags=tuple(FlagThere(name=each, cell=cell) for each, cell in there[:MOST_FLAGS]),
                flag_count=len(there),
                earlier=tuple(log[1:]),
            )
        )
    return found


def _commit(unit: Unit, deployed: store.Deployment, newest: store.Deployment | None) -> CommitView:
    title, release, behind = "", "", False
    try:
        history = unit.context.history
        commit = history.find(deployed.sha)
        title = commit.title if commit else ""
        release = history.first_release(deployed.sha) if commit else ""
        if newest is not None and newest.sha != deployed.sha:
            behind = history.contains(newest.sha, deployed.sha)
    except FlagstaffError:
        pass  # the repository is away: the hash is known without it
    return CommitView(
        sha=deployed.sha,
        title=title,
        release=release,
        since=deployed.at,
        who=deployed.who,
        behind=behind,
    )
