"""What would a clean-up change, and what would it leave?"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class ReferenceKind(StrEnum):
    """How a line speaks of the flag."""

    CALL = "call"
    HANDLE = "handle"
    OVERRIDE = "override"
    CONSTANT = "constant"
    STRING = "string"
    IDENTIFIER = "identifier"
    COMMENT = "comment"
    TEXT = "text"
    ENTRY = "entry"
    DEFINITION = "definition"
    UNREADABLE = "unreadable"
    VALUE = "value"
    JOB = "job"
    DROPPED = "dropped"
    UNPINNED = "unpinned"

    @property
    def asks(self) -> bool:
        """Tell whether the line asks for the flag, or may do so."""
        return self in {
            ReferenceKind.CALL,
            ReferenceKind.HANDLE,
            ReferenceKind.CONSTANT,
            ReferenceKind.STRING,
            ReferenceKind.UNREADABLE,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reference:
    """One line that speaks of the flag.

    `path` is relative to the repository with forward slashes, `line` counts from 1, `text` is the
    line without its surrounding blanks.
    """

    path: str
    line: int
    kind: ReferenceKind
    text: str

    def __str__(self) -> str:
        """Return `path:line: text`."""
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Residue:
    """A line which the clean-up leaves to a person, and why.

    The line number is that of the file *after* the clean-up; of a dropped test, which is in it no
    more, that before.
    """

    reference: Reference
    reason: str

    def __str__(self) -> str:
        """Return `path:line: text (reason)`."""
        return f"{self.reference} ({self.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file before and after; no `before` means it is new, no `after` that it is deleted."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldJob:
    """A background job with two names, of which one is to disappear with the flag."""

    old: str
    new: str
    old_queue: str | None = None
    new_queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupPlan:
    """The whole change set of one clean-up; pure values, sorted by path.

    `base` is the full id of the commit that was read, empty for a tree that is no commit. `jobs`
    are those with two names, of which one goes.
    """

    flag: str
    keep: bool
    base: str = ""
    changes: tuple[FileChange, ...] = ()
    jobs: tuple[OldJob, ...] = ()
    residues: tuple[Residue, ...] = ()


def diff_text(plan: CleanupPlan) -> str:
    """Return the plan as one unified diff, empty when nothing changes."""
    return "".join(line for change in plan.changes for line in _file_diff(change))


def _file_diff(change: FileChange) -> Iterator[str]:
    yield f"diff --git a/{change.path} b/{change.path}\n"
    if change.before is None:
        yield "new file mode 100644\n"
    if change.after is None:
        yield "deleted file mode 100644\n"
    lines = difflib.unified_diff(
        _lines(change.before),
        _lines(change.after),
        "/dev/null" if change.before is None else f"a/{change.path}",
        "/dev/null" if change.after is None else f"b/{change.path}",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode("utf-8", "replace").splitlines(keepends=True)
