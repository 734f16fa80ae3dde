"""How is a command of the project run for a rollout?"""

from __future__ import annotations

import os
from pathlib import Path

from flagstaff.definitions import Project, ProjectCommand
from flagstaff.errors import NotFound
from flagstaff.integrations.process import Ended, run

HARMLESS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""Variables that every command gets; others may be secrets of the server."""


class Commands:
    """Runs what `commands:` in `flagstaff.yml` declares, and nothing else."""

    def __init__(self, root: Path, project: Project) -> None:
        self._root = root
        self._project = project

    def run(self, name: str, *, key: str, flag: str) -> Ended:
        """Return how the command ended; it finds `key` in its environment as `FLAGSTAFF_KEY`.

        Raises:
            NotFound: the project declares no such command.
        """
        command = self._project.commands.get(name)
        if command is None:
            known = ", ".join(self._project.commands) or "none"
            raise NotFound(
                f"the project has no command {name[:60]!r}",
                hint=f"declare it under `commands:` in flagstaff.yml; there are: {known}",
            )
        told = {"FLAGSTAFF_KEY": key, "FLAGSTAFF_FLAG": flag}
        rollout, _, rest = key.partition("/")
        told |= {"FLAGSTAFF_ROLLOUT": rollout, "FLAGSTAFF_STEP": rest.partition("/")[0]}
        return run(
            command.run,
            self._root / command.folder,
            command.timeout.total_seconds(),
            _environment(command) | told,
        )


def in_words(name: str, ended: Ended) -> str:
    """Return how a command ended, in words."""
    return f"{name}: {ended.why}" if ended.code is None else f"{name} ended with {ended.code}"


def _environment(command: ProjectCommand) -> dict[str, str]:
    names = (*HARMLESS, *command.environment)
    return {name: os.environ[name] for name in names if name in os.environ}
