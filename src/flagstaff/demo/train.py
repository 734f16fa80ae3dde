"""How does a merge reach production in the demo? A small release train, as teams have one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flagstaff.commands.model import RecordDeployment
from flagstaff.commands.remote import Server
from flagstaff.demo.broker import waiting_jobs
from flagstaff.demo.git import git
from flagstaff.demo.processes import Application
from flagstaff.demo.repository import deploy, head, tag

PLACES = ("dev", "staging-canary", "staging", "canary", "production")
"""In the order in which a commit reaches them."""

NEXT_RELEASE = "v15.2"


class Train:
    """Tags and deploys what is merged, once nothing waits under names the new code forgets.

    Args:
        old_names: job names that are being renamed away.
    """

    def __init__(self, root: Path, server: Server, old_names: Sequence[str]) -> None:
        self._root = root
        self._server = server
        self._old_names = frozenset(old_names)
        self.deployed = ""

    def checkout(self, sha: str) -> Path:
        """Return a folder with the code of a commit."""
        return deploy(self._root, sha, self._root / "var" / "deployed" / sha[:12])

    def record(self, sha: str) -> None:
        """Note that the commit runs everywhere."""
        for place in PLACES:
            self._server.execute(RecordDeployment(environment=place, sha=sha))
        self.deployed = sha

    def run(self, application: Application) -> str:
        """Release and deploy the main branch if it has moved; return what was done."""
        newest = head(self._root)
        if newest == self.deployed:
            return ""
        if self._old_names & set(waiting_jobs(application.broker).values()):
            return ""
        if NEXT_RELEASE not in git(self._root, "tag").split():
            tag(self._root, NEXT_RELEASE)
        application.restart(self.checkout(newest))
        self.record(newest)
        return f"the release train tags {NEXT_RELEASE} and deploys {newest[:12]} everywhere"
