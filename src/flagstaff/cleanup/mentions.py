"""Which of many flags does the code mention at all? One search for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from flagstaff.cleanup.git import Git, GitFailed
from flagstaff.cleanup.patterns import camel

AT_ONCE = 500
"""Flags in one search; the automaton of many more would be too large."""

_NOTHING_FOUND = "git ended with 1"


def mentioned(
    root: Path, flags: Iterable[str], *, leave_out: tuple[str, ...] = ()
) -> frozenset[str]:
    """Return the flags that any file of the last commit names as a whole word.

    `new_navigation` is found as `newNavigation` too, as scripts in pages write it. Markdown is left
    out, as are binary files: what is only told of is not used.

    Args:
        root: a folder in the repository.
        flags: their names.
        leave_out: files and folders, from the repository's root, that do not count.

    Raises:
        NotFound: it is no git repository, or has no commit yet.
    """
    git = Git.at(root)
    commit = git.commit("HEAD")
    prefix = os.fspath(Path(os.path.realpath(root)).relative_to(_top(root)))
    places = tuple(os.path.normpath(f"{prefix}/{each}") for each in leave_out)
    names = frozenset(flags)
    # Of `A` and `A::B` in one search, git would find the first and step over the second.
    nested = frozenset(each for each in names if "::" in each)
    plain = sorted(names - nested)
    parts = [frozenset(plain[at : at + AT_ONCE]) for at in range(0, len(plain), AT_ONCE)]
    parts += [frozenset({each}) for each in nested]
    return frozenset().union(*(_mentioned(git, commit, part, places) for part in parts))


def _top(root: Path) -> Path:
    for folder in (path := Path(os.path.realpath(root)), *path.parents):
        if (folder / ".git").exists():
            return folder
    return path


@lru_cache(maxsize=64)
def _mentioned(
    git: Git, commit: str, flags: frozenset[str], leave_out: tuple[str, ...]
) -> frozenset[str]:
    if not flags:
        return frozenset()
    spellings = {camel(name): name for name in sorted(flags)} | {name: name for name in flags}
    # One pattern is one automaton over each line; many would be tried one after the other.
    pattern = "|".join(sorted(spellings))
    places = [":(exclude,glob)**/*.md", *(f":(exclude,top){each}" for each in leave_out)]
    try:
        found = git.run(
            *("grep", "-h", "-o", "-I", "-w", "-E", "-f", "-", commit, "--", *places),
            stdin=f"{pattern}\n".encode(),
        )
    except GitFailed as error:
        if error.message != _NOTHING_FOUND:
            raise
        return frozenset()
    words = {os.fsdecode(each) for each in found.split(b"\n")}
    return frozenset(spellings[each] for each in words & spellings.keys())
