"""What does the project's own git repository know?"""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath

from flagstaff.errors import Unavailable
from flagstaff.services.ports import Commit

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+-]*")
FULL_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
RELEASE = re.compile(r"v?\d+(\.\d+)+(-ee)?")
STABLE = re.compile(r"[0-9]+\.[0-9]+")
REQUEST = re.compile(r"(?:https?://.+/(?:-/merge_requests|pull)/|[!#])([0-9]+)(?:[/?#].*)?")

CALM = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
"""Messages that can be compared, no lock beside the people who work here, no questions."""

ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
"""What a git hook sets and what would lead us to another repository than the one asked about."""

NO_REPOSITORY = ("not a git repository", "dubious ownership", "cannot change to")
_ADDED = ("--diff-filter=A", "--no-renames")
"""Flags are defined in nearly the same words, so one that replaces another is no rename of it; nor
does a partial clone have the contents in which git would look for one."""

NO = 1
"""How git says "no", as against "I do not know"."""


class GitRepository:
    """A local repository, read with git itself.

    A merge request is found by its number in the message of the merge commit, as GitLab (`!12`) and
    GitHub (`#12`) write it there. A branch counts as merged when its last commit is on the main
    branch, or a commit there makes the very same change: so it is after a rebase, and after the
    squash of a single commit. A squash of several commits is not found.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._is_known_ancestor = lru_cache(maxsize=4096)(self._is_ancestor)
        self._known_copy = lru_cache(maxsize=256)(self._copy)

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
        if request := REQUEST.fullmatch(name):
            return self._of_request(request.group(1))
        if not NAME.fullmatch(name):
            return None
        for candidate in (name, f"origin/{name}"):
            if found := self._resolve(candidate):
                return self._commit(found)
        return None

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Return whether `ancestor` is `descendant` or lies before it; unknown ones do not."""
        names = (descendant, ancestor)
        if not all(NAME.fullmatch(name) for name in names):
            return False
        fixed = all(FULL_HASH.fullmatch(name) for name in names)
        try:
            return self._is_known_ancestor(*names) if fixed else self._is_ancestor(*names)
        except _GitError:
            return False  # a commit nobody knows yet may be fetched later, so this is not kept

    def merge_of(self, commit: str, branch: str) -> str:
        """Return the commit on the branch's own line that brought `commit` there.

        The branch as it is here is looked at first, then as it was last fetched from `origin`.
        """
        for name in (branch, f"origin/{branch}"):
            if self.contains(name, commit):
                return self._bringing(commit, name)
            tip, full = self._resolve(name), self._resolve(commit)
            if tip and full and (copy := self._known_copy(full, tip)):
                return copy
        return ""

    def _bringing(self, commit: str, branch: str) -> str:
        between = f"{commit}..{branch}"
        after = set(self._try("rev-list", "--ancestry-path", between).split())
        line = self._try("rev-list", "--first-parent", between).split()
        bringing = [each for each in line if each in after]
        own_line = self._try("rev-list", "--first-parent", branch).split()
        full = self._resolve(commit)
        return full if full in own_line or not bringing else bringing[-1]

    def _copy(self, commit: str, tip: str) -> str:
        """Return the commit on the way to `tip` that makes the same change as `commit`."""
        marked = self._try(
            *("rev-list", "--cherry-mark", "--right-only", "--no-merges"),
            *(f"{commit}...{tip}", f"^{commit}^"),
        )
        same = [line.removeprefix("=") for line in marked.split() if line.startswith("=")]
        return same[-1] if same else ""

    def first_release(self, commit: str) -> str:
        """Return the lowest version tag that contains the commit."""
        if not NAME.fullmatch(commit):
            return ""
        tags = self._try("tag", "--contains", commit, "--sort=version:refname").split()
        return next((tag for tag in tags if RELEASE.fullmatch(tag)), "")

    def stable_branch(self, version: str) -> str:
        """Return the stable branch of `X.Y`, local or of the remote `origin`."""
        if not STABLE.fullmatch(version):
            return ""
        stem = version.replace(".", "-") + "-stable"
        for name in (stem, f"{stem}-ee", f"origin/{stem}", f"origin/{stem}-ee"):
            if self._resolve(name):
                return name
        return ""

    def introduction(self, pattern: str) -> Commit | None:
        """Return the commit that brought the first file matching the pattern to this branch."""
        added = self._try(
            *("log", *_ADDED, "--reverse", "--format=%H", "--", f":(glob){pattern}")
        ).split()
        return self._commit(self.merge_of(added[0], "HEAD") or added[0]) if added else None

    def introductions(self, folder: str) -> dict[str, datetime]:
        """Return when the first file of each name, without its ending, came into the folder.

        The folder may lie anywhere in the repository, since a project may. It is looked for as it
        lies now: git passes by whatever does not touch a folder that it is told the whole path of.
        """
        trees = self._try("ls-tree", "-r", "-d", "-z", "--name-only", "HEAD").split("\0")
        places = [each for each in trees if f"/{each}".endswith(f"/{folder.strip('/')}")]
        if not places:
            return {}
        log = self._try(
            *("log", "-z", *_ADDED, "--format=%x01%ct", "--name-only"),
            *("--", *(f":(literal){each}/" for each in places)),
        )
        found: dict[str, datetime] = {}
        at = datetime.now(UTC)
        for entry in log.split("\0"):
            word = entry.strip("\n")
            if word.startswith("\x01"):
                at = datetime.fromtimestamp(int(word[1:]), UTC)
            elif word:
                name = PurePosixPath(word).stem
                found[name] = min(at, found.get(name, at))
        return found

    def _resolve(self, name: str) -> str:
        if not NAME.fullmatch(name):
            return ""
        return self._try("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def _commit(self, name: str) -> Commit:
        sha, _, title = self._git("log", "-1", "--format=%H%x00%s", name).strip().partition("\0")
        return Commit(sha=sha, title=title)

    def _of_request(self, number: str) -> Commit | None:
        """Return the oldest commit that says it merges the request: a revert only quotes it."""
        pattern = (
            rf"^See merge request [^ ]*!{number}$|^Merge pull request #{number} |\(#{number}\)$"
        )
        found = self._try("log", "--all", "-E", f"--grep={pattern}", "--format=%H").split()
        return self._commit(found[-1]) if found else None

    def _is_ancestor(self, descendant: str, ancestor: str) -> bool:
        try:
            self._git("merge-base", "--is-ancestor", ancestor, descendant)
        except _GitError as exc:
            if exc.status == NO:
                return False
            raise
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
        try:
            return _run(self.root, *arguments)
        except _GitError as exc:
            if any(words in exc.words for words in NO_REPOSITORY):
                raise Unavailable(
                    f"the repository {self.root} cannot be read: {exc.words.strip()}",
                    hint="put it right; nothing was changed",
                ) from exc
            raise


class _GitError(Exception):
    """Git said no; whoever asked knows what that means."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def blame(path: Path, line: int) -> str:
    """Return what git says of one line of a file, for programs; empty when it knows nothing.

    Raises:
        Unavailable: git is not there, or does not answer.
    """
    try:
        return _run(path.parent, "blame", "--porcelain", "-L", f"{line},{line}", "--", path.name)
    except _GitError:
        return ""


def _run(folder: Path, *arguments: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    surroundings = {**inherited, **CALM}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "log.showSignature=false", *arguments],
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=surroundings,
            timeout=60,
        )
    except FileNotFoundError as exc:
        raise Unavailable("git is not installed", hint="install git and try again") from exc
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"git {arguments[0]} took longer than a minute") from exc
    if done.returncode != 0:
        raise _GitError(done.returncode, done.stderr)
    return done.stdout
