"""Which flags did people remove by hand, and where are the files before and after?

The repositories are public and other people's: they are fetched, never kept with our code.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FORGE = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One commit in which a person removed flags; `winners` says which answer each kept.

    `note` tells what the person did that no tool could know.
    """

    repo: str
    sha: str
    parent: str
    winners: Mapping[str, bool]
    note: str = ""

    @property
    def name(self) -> str:
        """Return what the table calls it."""
        return f"{self.repo} {self.sha[:8]}"


def cases(path: Path) -> list[Case]:
    """Read a file of cases; an `id` without a winner has that of the case's flags."""
    found = []
    for entry in json.loads(path.read_text()):
        winners: dict[str, bool] = dict(entry["winners"])
        usual = next(iter(winners.values()), True)
        for name in (*entry.get("flags", ()), *entry.get("ids", ())):
            winners.setdefault(name, usual)
        found.append(
            Case(
                repo=entry["repo"],
                sha=entry["sha"],
                parent=entry["parent"],
                winners=winners,
                note=entry.get("note", ""),
            )
        )
    return found


def repository(case: Case, folder: Path) -> Path | None:
    """Return the bare repository of a case, fetched into `folder` if it is not there."""
    place = folder / case.repo.replace("/", "+")
    for git in (place, place / "repo", place.with_name(f"{place.name}.git")):
        if (git / "HEAD").exists():
            return git if _has(git, case) or _fetched(git, case) else None
    place.mkdir(parents=True, exist_ok=True)
    _git(place, "init", "--quiet", "--bare", ".")
    return place if _fetched(place, case) else None


def changed(git: Path, case: Case) -> tuple[str, ...]:
    """Return the paths that the person's commit touched."""
    words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", case.parent, case.sha)
    done = _git(git, *words)
    return tuple(path for path in done.stdout.decode("utf-8", "replace").split("\0") if path)


def _has(git: Path, case: Case) -> bool:
    return all(
        _git(git, "cat-file", "-e", f"{commit}^{{tree}}").returncode == 0
        for commit in (case.sha, case.parent)
    )


def _fetched(git: Path, case: Case) -> bool:
    # Both commits alone: the years between them and today are of no use here.
    words = ("fetch", "--quiet", "--depth", "2", f"{FORGE}/{case.repo}.git", case.sha)
    return _git(git, *words).returncode == 0 and _has(git, case)


def _git(git: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(("git", "-C", str(git), *words), capture_output=True, check=False)
