"""How does a test make a real git repository with a history of its own?"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta

SURROUNDINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


class GitSandbox:
    """A repository under `root`; every commit is a minute younger than the one before."""

    def __init__(self, root):
        self.root = root
        self._moment = datetime(2026, 1, 1, tzinfo=UTC)
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        self._moment += timedelta(minutes=1)
        date = self._moment.isoformat()
        surroundings = {**os.environ, **SURROUNDINGS}
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments],
            check=True,
            capture_output=True,
            text=True,
            env={**surroundings, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        )
        return done.stdout.strip()

    def commit(self, title, **files):
        """Commit files, their names with `__` for a slash; without any, change `notes`."""
        for name, text in (files or {"notes": title}).items():
            path = self.root / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", title)
        return self.head()

    def head(self, name="HEAD"):
        return self.git("rev-parse", name)

    def branch(self, name, *, at="HEAD"):
        self.git("switch", "-q", "-c", name, at)

    def switch(self, name):
        self.git("switch", "-q", name)

    def merge(self, name, message=""):
        self.git("merge", "-q", "--no-ff", "-m", message or f"Merge branch '{name}'", name)
        return self.head()

    def tag(self, name, at="HEAD"):
        self.git("tag", name, at)
