"""What does the project's own git repository know?"""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path

from flagstaff.errors import Unavailable
from flagstaff.services.ports import Commit

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+-]*")
FULL_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
RELEASE = re.compile(r"v?\d+(\.\d+)+(-ee)?")
REQUEST = re.compile(r"(?:/-/merge_requests/|/pull/|^[!#])(\d+)$")


class GitRepository:
    """A local repository, read with git itself.

    A merge request is found by its number in the message of the merge commit, as GitLab (`!12`) and
    GitHub (`#12`) write it there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._contains = lru_cache(maxsize=4096)(self._is_ancestor)

    @classmethod
    def around(cls, folder: Path) -> GitRepository | None:
        """Return the repository that the folder is in, or `None`."""
        try:
            top = _run(folder, "rev-parse", "--show-toplevel").strip()
        except _GitError:
            return None
        return cls(Path(top))

    def find(self, name: str) -> Commit | None:
        """Return the commit that a hash, branch, tag or merge request names, or `None`."""
        if request := REQUEST.search(name):
            return self._of_request(request.group(1))
        if not NAME.fullmatch(name):
            return None
        for candidate in (name, f"origin/{name}"):
            found = self._try("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
            if found:
                return self._commit(found)
        return None

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Return whether `ancestor` is `descendant` or lies before it."""
        if FULL_HASH.fullmatch(descendant) and FULL_HASH.fullmatch(ancestor):
            return self._contains(descendant, ancestor)
        return self._is_ancestor(descendant, ancestor)

    def merge_of(self, commit: str, branch: str) -> str:
        """Return the commit on the branch's own line that brought `commit` there."""
        if not self.contains(branch, commit):
            return ""
        between = f"{commit}..{branch}"
        after = set(self._try("rev-list", "--ancestry-path", between).split())
        line = self._try("rev-list", "--first-parent", between).split()
        bringing = [each for each in line if each in after]
        own_line = self._try("rev-list", "--first-parent", branch).split()
        full = self._try("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
        return full if full in own_line or not bringing else bringing[-1]

    def first_release(self, commit: str) -> str:
        """Return the lowest version tag that contains the commit."""
        tags = self._try("tag", "--contains", commit, "--sort=version:refname").split()
        return next((tag for tag in tags if RELEASE.fullmatch(tag)), "")

    def stable_branch(self, version: str) -> str:
        """Return the stable branch of `X.Y`, local or of the remote `origin`."""
        stem = version.replace(".", "-") + "-stable"
        for name in (stem, f"{stem}-ee", f"origin/{stem}", f"origin/{stem}-ee"):
            if self._try("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
                return name
        return ""

    def introduction(self, pattern: str) -> Commit | None:
        """Return the commit that brought the first file matching the pattern to this branch."""
        added = self._try(
            "log", "--diff-filter=A", "--reverse", "--format=%H", "--", f":(glob){pattern}"
        ).split()
        return self._commit(self.merge_of(added[0], "HEAD") or added[0]) if added else None

    def _commit(self, name: str) -> Commit:
        sha, _, title = self._git("log", "-1", "--format=%H%x00%s", name).strip().partition("\0")
        return Commit(sha=sha, title=title)

    def _of_request(self, number: str) -> Commit | None:
        pattern = rf"(merge request .*!|pull request #|\(#){number}(\)|\b)"
        found = self._try("log", "--all", "-1", "-E", f"--grep={pattern}", "--format=%H")
        return self._commit(found) if found else None

    def _is_ancestor(self, descendant: str, ancestor: str) -> bool:
        if not (NAME.fullmatch(descendant) and NAME.fullmatch(ancestor)):
            return False
        try:
            self._git("merge-base", "--is-ancestor", ancestor, descendant)
        except _GitError:
            return False
        return True

    def _try(self, *arguments: str) -> str:
        try:
            return self._git(*arguments).strip()
        except _GitError:
            return ""

    def _git(self, *arguments: str) -> str:
        if not self.root.is_dir():
            raise Unavailable(
                f"the repository {self.root} is gone", hint="put it back; nothing was changed"
            )
        return _run(self.root, *arguments)


class _GitError(Exception):
    """Git said no; whoever asked knows what that means."""


def _run(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except FileNotFoundError as exc:
        raise Unavailable("git is not installed", hint="install git and try again") from exc
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"git {arguments[0]} took longer than a minute") from exc
    if done.returncode != 0:
        raise _GitError(done.stderr)
    return done.stdout
