"""What does a clean-up leave to a person, and why?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flagstaff.cleanup.changes import Reference, ReferenceKind, Residue
from flagstaff.cleanup.data.files import DATA, reasons_left
from flagstaff.cleanup.dropped import dropped_tests
from flagstaff.cleanup.elsewhere import is_history
from flagstaff.cleanup.patterns import Conventions, word
from flagstaff.cleanup.references import references_in, text_references
from flagstaff.cleanup.renames import Losers
from flagstaff.cleanup.tree import Overlay, Tree

_Lines: TypeAlias = Mapping[str, tuple[int, ...]]
_REASONS = {
    ReferenceKind.CALL: "asks for the flag in a way that cannot be resolved safely",
    ReferenceKind.HANDLE: "binds the flag to an object that is used in other ways than asking",
    ReferenceKind.OVERRIDE: "pins the flag to a value that is not certain, or outside of a test",
    ReferenceKind.CONSTANT: "holds the flag's name, and something still uses it",
    ReferenceKind.STRING: "passes the flag's name on as text",
    ReferenceKind.IDENTIFIER: "is a name that is, or holds, the flag's name",
    ReferenceKind.COMMENT: "is a comment that speaks of the flag",
    ReferenceKind.TEXT: "is text that speaks of the flag",
    ReferenceKind.ENTRY: "is an entry of a list or table of flags",
    ReferenceKind.DEFINITION: "defines the flag",
    ReferenceKind.UNREADABLE: "is in a file that does not parse",
    ReferenceKind.VALUE: "was given the flag's bare answer as a value; simplify by hand",
    ReferenceKind.UNPINNED: (
        "had the flag at the other answer around what the rest of it looks at; see whether it holds"
    ),
    ReferenceKind.DROPPED: "was a test of the other answer and is gone; see whether it was more",
    ReferenceKind.JOB: "still names a background job or queue that goes away",
}


def residues(
    work: Overlay,
    flag: str,
    names: Losers,
    found: tuple[Conventions, Mapping[ReferenceKind, _Lines], Collection[str]],
) -> tuple[Residue, ...]:
    """Return every line left after a clean-up that a person should look at, sorted by place.

    Changelogs are history and say what they said; `found` are the conventions, the lines that the
    clean-up itself left for some reason, by path, and the names of what tests have answer something
    else.
    """
    conventions, noted, doubles = found
    left = set(references_in(work, flag, conventions))
    left |= {each for kind, lines in noted.items() for each in _noted(work, kind, lines)}
    left |= set(_jobs(work, names))
    told = {(reference.path, reference.line) for reference in left}
    left |= {each for each in _pins(work, doubles) if (each.path, each.line) not in told}
    left |= set(dropped_tests(work.below, work, sorted(work.changed)))
    reasons = _Reasons(work, flag)
    return tuple(
        sorted(
            Residue(reference=reference, reason=reasons.of(reference))
            for reference in left
            if not is_history(reference.path)
        )
    )


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Why lines of `work` are left; each data file is read once."""

    work: Tree
    flag: str
    data: dict[str, dict[int, str]] = field(default_factory=dict)

    def of(self, reference: Reference) -> str:
        """Return the reason of one line."""
        path, usual = reference.path, _REASONS[reference.kind]
        if "/migrations/" in f"/{path}":
            return "is in a migration, which stays as it ran"
        if reference.kind not in {ReferenceKind.ENTRY, ReferenceKind.TEXT}:
            return usual
        if path.endswith(DATA) and path not in self.data:
            self.data[path] = reasons_left(path, self.work.read(path) or b"", self.flag)
        return self.data.get(path, {}).get(reference.line, usual)


def _noted(work: Tree, kind: ReferenceKind, places: _Lines) -> Iterator[Reference]:
    for path, numbers in places.items():
        lines = (work.read(path) or b"").decode("utf-8", "replace").splitlines()
        for number in numbers:
            if number <= len(lines):
                text = lines[number - 1].strip()
                yield Reference(path=path, line=number, kind=kind, text=text)


def _pins(work: Tree, doubles: Collection[str]) -> Iterator[Reference]:
    for name in doubles:
        pattern = re.compile(rf"""["'][\w.]*[.:]{re.escape(name)}["']""")
        for path in work.containing((name,)):
            if path.endswith(".py"):
                content, kind = work.read(path) or b"", ReferenceKind.OVERRIDE
                yield from text_references(path, content, pattern, kind)


def _jobs(work: Tree, names: Losers) -> Iterator[Reference]:
    for job, _ in names.jobs:
        pattern = word(job, dotted=True)
        for path in work.containing((job,)):
            yield from text_references(path, work.read(path) or b"", pattern, ReferenceKind.JOB)
    for queue in names.queues:
        pattern = word(queue, dotted=True)
        for path in work.containing((queue,)):
            content = work.read(path) or b""
            for line in text_references(path, content, pattern, ReferenceKind.JOB):
                # A queue's name is often a common word.
                if "queue" in line.text.lower() or "-Q" in line.text:
                    yield line
