"""How does a change set become a commit on a branch, with nothing else moved?"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flagstaff.cleanup.changes import CleanupPlan, FileChange
from flagstaff.cleanup.git import Git, GitFailed
from flagstaff.cleanup.tree import GitTree
from flagstaff.errors import Conflict, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who signs the commit."""

    name: str = "Flagstaff"
    email: str = "flagstaff@localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchResult:
    """The branch, the full id of its commit, and the paths that the change set touches."""

    branch: str
    commit: str
    files: tuple[str, ...]


_FLAGSTAFF = Author()


def write_branch(
    root: Path,
    plan: CleanupPlan,
    *,
    branch: str,
    message: str,
    base: str,
    author: Author = _FLAGSTAFF,
) -> BranchResult:
    """Commit the plan on a new branch on top of `base`.

    Work tree, index and HEAD stay as they are. The commit bears the date of its base, so the same
    plan makes the same commit; where the branch already holds the same change nothing is made.

    Raises:
        UsageError: `branch` is no name for a branch.
        NotFound: no such repository or base.
        Conflict: nothing to commit, a file differs from what the plan read, or the branch exists
            with something else on it.
    """
    tree = GitTree.at(root, base)
    git = tree.git
    reference = _reference(git, branch)
    _check(plan, tree)
    made = _write_tree(git, tree, plan.changes)
    standing = _tip(git, reference)
    if standing is None:
        commit = _commit(git, made, message, tree.commit, author)
        standing = _create(git, reference, commit, author)
    have = _difference(git, _common(git, standing, tree.commit), standing)
    if have != _difference(git, tree.commit, made):
        raise Conflict(
            f"the branch {branch} exists already and holds something else",
            hint=f"choose another branch name, or delete it first: git branch -D {branch}",
        )
    files = tuple(change.path for change in plan.changes)
    return BranchResult(branch=branch, commit=standing, files=files)


def _create(git: Git, reference: str, commit: str, author: Author) -> str:
    """Point a new reference at `commit`; return where it points, should another have been first."""
    words = ("update-ref", "-m", "flagstaff: clean-up", reference, commit, "0" * len(commit))
    try:
        git.run(*words, settings=_identity(author))
    except GitFailed as error:
        standing = _tip(git, reference)
        if standing is None:
            raise Conflict(
                f"the branch {reference.removeprefix('refs/heads/')} cannot be made: {error}",
                hint="choose another branch name",
            ) from error
        return standing
    return commit


def _reference(git: Git, branch: str) -> str:
    try:
        git.run("check-ref-format", "--branch", branch)
    except GitFailed as error:
        raise UsageError(
            f"{branch!r} is no name for a branch", hint="use something like cleanup/my_flag"
        ) from error
    return f"refs/heads/{branch}"


def _check(plan: CleanupPlan, tree: GitTree) -> None:
    if not plan.changes:
        raise Conflict(
            f"there is nothing to change for the flag {plan.flag}",
            hint="the clean-up is done already; close it without a branch",
        )
    moved = [change.path for change in plan.changes if tree.read(change.path) != change.before]
    if moved:
        raise Conflict(
            f"{', '.join(moved)} differs between the plan and the base {tree.commit[:12]}",
            hint="plan the clean-up again from that base",
        )


def _write_tree(git: Git, tree: GitTree, changes: tuple[FileChange, ...]) -> str:
    with tempfile.TemporaryDirectory(prefix="flagstaff-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git.run("read-tree", tree.commit, settings=index)
        entries = b"".join(_entry(git, tree, change) for change in changes)
        git.run("update-index", "-z", "--index-info", stdin=entries, settings=index)
        return git.run("write-tree", settings=index).decode().strip()


def _entry(git: Git, tree: GitTree, change: FileChange) -> bytes:
    path = os.fsencode(change.path)
    if change.after is None:
        return b"0 " + b"0" * len(tree.commit) + b"\t" + path + b"\0"
    blob = git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=change.after).strip()
    mode = tree.modes.get(change.path, "100644").encode()
    return mode + b" " + blob + b"\t" + path + b"\0"


def _commit(git: Git, tree: str, message: str, parent: str, author: Author) -> str:
    when = git.run("show", "-s", "--format=%ct +0000", parent).decode().strip()
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    text = message.rstrip("\n").encode() + b"\n"
    words = ("commit-tree", tree, "-p", parent, "-F", "-")
    return git.run(*words, stdin=text, settings=_identity(author) | dates).decode().strip()


def _identity(author: Author) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": author.name,
        "GIT_COMMITTER_EMAIL": author.email,
    }


def _tip(git: Git, reference: str) -> str | None:
    # The pattern also matches names below it, such as `x/y` for `x`.
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", reference).decode()
    names = (line.split(" ", 1) for line in listed.splitlines())
    return next((commit for commit, name in names if name == reference), None)


def _common(git: Git, one: str, other: str) -> str:
    try:
        return git.run("merge-base", one, other).decode().strip()
    except GitFailed:
        return other


def _difference(git: Git, old: str, new: str) -> bytes:
    return git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
