"""Who outside is told of changes, and who is asked who is on call?"""

from __future__ import annotations

from pathlib import Path

from flagstaff.definitions import Project
from flagstaff.integrations.on_call.elsewhere import Elsewhere
from flagstaff.integrations.on_call.schedule import Schedule
from flagstaff.integrations.telling import Announce, Teller
from flagstaff.server.chat import secret_in
from flagstaff.server.settings import Settings
from flagstaff.services.ports import OnCallBook


def build_teller(settings: Settings, project: Project, announce: Announce | None) -> Teller:
    """Return what tells those whom `side_effects:` names.

    Raises:
        UsageError: a file with a secret is missing.
    """
    return Teller(
        root=settings.root,
        project=project,
        announce=announce,
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


def _secret(file: Path | None) -> str:
    return secret_in(file) if file is not None else ""
