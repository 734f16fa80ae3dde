"""Who outside is told of each change of a flag?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A mark in Grafana's charts.

    Attributes:
        url: where Grafana is; its token is a setting of the server.
        tags: further tags, beside the environment, `feature-flag` and the flag.
        dashboard: the uid of the one dashboard that shows it; empty for all that look for the tags.
        panel: the one panel of it; 0 for all.
    """

    url: str
    environments: tuple[str, ...]
    tags: tuple[str, ...] = ()
    dashboard: str = ""
    panel: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHook:
    """Where each change is sent as JSON; what it is signed with is a setting of the server."""

    url: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLog:
    """Where a line on each change is kept: a file from the project's root, or an issue's address.

    Exactly one of the two is given.
    """

    environments: tuple[str, ...]
    file: str = ""
    issue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutIssue:
    """A note on the rollout issue of the flag, on what people change beside the rollout."""

    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChannel:
    """A message to the channel of the team; `rollouts` is whether their changes are told too."""

    environments: tuple[str, ...] = ("production",)
    rollouts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffects:
    """What is done outside for each change of a flag; what is `None` is not done."""

    annotation: Annotation | None = None
    event: EventHook | None = None
    log: ChangeLog | None = None
    rollout_issue: RolloutIssue | None = None
    team_channel: TeamChannel | None = TeamChannel()
