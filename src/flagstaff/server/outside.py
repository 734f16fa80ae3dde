"""Who outside is told of changes, and who is asked who is on call and what is merged?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flagstaff.definitions import Project
from flagstaff.definitions.forges import ForgeKind
from flagstaff.integrations.on_call.elsewhere import Elsewhere
from flagstaff.integrations.on_call.schedule import Schedule
from flagstaff.integrations.telling import Announce, Teller
from flagstaff.server.chat import secret_in
from flagstaff.server.settings import Settings
from flagstaff.services.ports import OnCallBook

if TYPE_CHECKING:
    from flagstaff.integrations.forge.gitlab_requests import GitLabRequests


def build_teller(settings: Settings, project: Project, announce: Announce | None) -> Teller:
    """Return what tells those whom `side_effects:` names.

    Raises:
        UsageError: a file with a secret is missing.
    """
    return Teller(
        root=settings.root,
        project=project,
        announce=announce,
        comments=build_requests(settings, project),
        grafana_token=_secret(settings.grafana_token_file),
        event_secret=_secret(settings.event_secret_file),
    )


def build_on_call(settings: Settings, project: Project) -> OnCallBook | None:
    """Return what knows who is on call.

    Raises:
        UsageError: the file with the key is missing.
    """
    if project.on_call is None:
        return None
    if project.on_call.schedule:
        return Schedule(root=settings.root, settings=project.on_call)
    return Elsewhere(settings=project.on_call, token=_secret(settings.on_call_token_file))


def build_requests(settings: Settings, project: Project) -> GitLabRequests | None:
    """Return what knows the merge requests of the project's first GitLab.

    Without its package nothing is asked there: git answers alone.

    Raises:
        UsageError: the file with its token is missing.
    """
    forge = next((each for each in project.forges if each.kind is ForgeKind.GITLAB), None)
    if forge is None:
        return None
    try:
        from flagstaff.integrations.forge.gitlab_requests import (  # noqa: PLC0415 an extra
            GitLabRequests,
        )
    except ImportError:
        return None
    if forge.token_file is not None:
        return GitLabRequests(forge, secret_in(settings.root / forge.token_file))
    return GitLabRequests(forge, os.environ.get(forge.token_env, "").strip())


def _secret(file: Path | None) -> str:
    return secret_in(file) if file is not None else ""
