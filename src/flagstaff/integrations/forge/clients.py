"""Which client speaks with which of the project's forges?"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flagstaff.definitions.forges import Forge, ForgeKind, IssueAddress, issue_at
from flagstaff.errors import MissingExtra, NotFound, UsageError
from flagstaff.integrations.forge.errors import token_place
from flagstaff.integrations.forge.port import IssueClient
from flagstaff.services.ports import IssueText

HINT: Final = (
    "describe the forge under `forges:` in flagstaff.yml (docs/reference/forges.md), or name a file"
)


class Forges:
    """The forges of one project; each client is made when it is needed, and used by one at a time.

    Args:
        root: the project's folder, in which files of secrets are looked for.
        forges: as the project describes them.
        surroundings: the environment's variables.
    """

    def __init__(
        self,
        root: Path,
        forges: tuple[Forge, ...],
        surroundings: Mapping[str, str] | None = None,
    ) -> None:
        self.forges = forges
        self._root = root
        self._surroundings = os.environ if surroundings is None else surroundings
        self._clients: dict[str, IssueClient] = {}
        self._locks = {forge.name: threading.RLock() for forge in forges}

    def at(self, text: str) -> IssueAddress | None:
        """Return which issue an address means, `None` where it is on no forge of the project."""
        return issue_at(text, self.forges)

    def read(self, text: str) -> IssueText:
        """Return an issue as it stands now.

        Raises:
            UsageError: it is on no forge of the project.
            FlagstaffError: the forge says no, or nothing.
        """
        address = self.at(text)
        if address is None:
            raise UsageError(f"{text[:200]} is no issue on a forge of this project", hint=HINT)
        with self.client(address.forge) as client:
            try:
                issue = client.read(address.project, address.number)
            except NotFound as exc:
                raise NotFound(f"{address}: {exc.message}", hint=exc.hint) from exc
        return IssueText(url=address.url, title=issue.title, text=issue.text)

    @contextmanager
    def client(self, forge: Forge) -> Iterator[IssueClient]:
        """Give the client of a forge, to one thread at a time.

        Raises:
            UsageError: there is no token.
            MissingExtra: its package is not installed.
        """
        with self._locks[forge.name]:
            if forge.name not in self._clients:
                self._clients[forge.name] = self._made(forge)
            yield self._clients[forge.name]

    def webhook_secret(self, forge: Forge) -> str:
        """Return what webhooks of a forge show or are signed with, empty when none is set."""
        return self._secret(forge.webhook_secret_env, forge.webhook_secret_file)

    def close(self) -> None:
        """Let go of connections."""
        for client in self._clients.values():
            client.close()

    def token(self, forge: Forge) -> str:
        """Return the token for a forge.

        Raises:
            UsageError: there is none.
        """
        token = self._secret(forge.token_env, forge.token_file)
        if not token:
            raise UsageError(
                f"there is no token for the forge {forge.name}",
                hint=f"put one that may edit issues into {token_place(forge)}",
            )
        return token

    def _made(self, forge: Forge) -> IssueClient:
        token = self.token(forge)
        if forge.kind is ForgeKind.GITHUB:
            from flagstaff.integrations.forge.github import GitHubIssues  # noqa: PLC0415 on demand

            return GitHubIssues(forge, token)
        try:
            from flagstaff.integrations.forge.gitlab import GitLabIssues  # noqa: PLC0415 an extra
        except ImportError as exc:
            raise MissingExtra.named("gitlab", package="python-gitlab") from exc
        return GitLabIssues(forge, token)

    def _secret(self, variable: str, file: Path | None) -> str:
        if file is None:
            return self._surroundings.get(variable, "").strip()
        try:
            return (self._root / file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as exc:
            raise UsageError(f"{file} cannot be read", hint="put the secret there") from exc
