"""Who answers in the demo when nobody is there? A team that looks before it says yes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstaff.commands.model import ApproveStep
from flagstaff.commands.remote import Server
from flagstaff.demo.git import git
from flagstaff.demo.repository import deploy, merge_branch
from flagstaff.errors import Conflict, FlagstaffError

ANSWERS = {
    "two hours": "here for the next two hours",
    "2 hours": "here for the next two hours",
    "verif": "the four jobs ran under their new names on staging, and the old ones still run",
    "document": "the job names are in no user documentation",
    "breaking": "no customer sees these names",
    "change": "not needed: the flag can be switched off at any moment",
}
"""What the team says to a question with this word in it."""


class Team:
    """Approves what waits for a person, and reviews and merges the cleanup."""

    def __init__(self, root: Path, server: Server) -> None:
        self._root = root
        self._server = server
        self._reviewed: set[str] = set()

    def look(self, rollout: Mapping[str, Any]) -> str:
        """Do what the rollout waits for, if it waits for people; return what was done."""
        current = next((step for step in rollout["steps"] if step["id"] == rollout["step"]), None)
        if current is None:
            return ""
        if current["status"] == "waiting":
            return self._approve(rollout, current)
        cleanup = rollout["cleanup"]
        if current["kind"] == "AwaitMerge" and cleanup and cleanup["commit"] not in self._reviewed:
            self._reviewed.add(cleanup["commit"])
            return self._review(cleanup["branch"], cleanup["commit"])
        return ""

    def _approve(self, rollout: Mapping[str, Any], step: Mapping[str, Any]) -> str:
        title = step["title"].lower()
        said = next((text for word, text in ANSWERS.items() if word in title), "done")
        try:
            self._server.execute(
                ApproveStep(rollout=rollout["rollout"], step=step["id"], reason=said)
            )
        except Conflict:
            return ""
        return f"the team approves: {said}"

    def _review(self, branch: str, commit: str) -> str:
        """Run the application's own tests on the branch, and merge it when they pass."""
        with tempfile.TemporaryDirectory(prefix="flagstaff-review-") as folder:
            checkout = deploy(self._root, commit, Path(folder) / "checkout")
            tests = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
                cwd=checkout,
                check=False,
                capture_output=True,
                text=True,
            )
            git(self._root, "worktree", "remove", "--force", str(checkout))
        last = (tests.stdout.strip().splitlines() or ["no output"])[-1].strip("= ")
        if tests.returncode != 0:
            raise FlagstaffError(
                f"the application's tests fail on {branch}: {last}", hint=tests.stdout[-2000:]
            )
        merged = merge_branch(self._root, branch)
        return f"the team reviews {branch} ({last}) and merges it as {merged[:12]}"
