"""How does the issue's text follow the rollout?

Only two things ever change: the marks in boxes, and lines of our own that end with a sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flagstaff.issues.answers import box_notes
from flagstaff.issues.lines import Line, marker_of, split_lines
from flagstaff.issues.marks import mark_for, undone, with_mark
from flagstaff.issues.notes import (
    Note,
    closing_note,
    notes_by_line,
    notes_for,
    ticked_again,
    without_notes,
)
from flagstaff.issues.outline import Outline, outline_of
from flagstaff.issues.placing import after, places_of
from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rollout import Rollout


def follow(text: str, rollout: Rollout) -> str:
    """Return the issue's text as it should read now; every other byte stays as it was.

    Boxes of steps that are over are ticked, `[x]` for done and `[-]` for skipped, and below each
    step that is over, waits or failed stands what came of it. What a rollback took back is open
    again, with the boxes that sum it up. A tick that somebody took away from what is done comes
    back, with a note that this undoes nothing. Doing it again changes nothing.
    """
    before = split_lines(text)
    lines = without_notes(before)
    said_before = notes_by_line(before)
    outline = outline_of(lines)
    items = {item.line: at for at, item in enumerate(outline.items)}
    places = places_of(rollout, lines, outline)
    reopened = _above_undone(rollout, places, outline, items)
    marked = list(lines)
    notes: dict[int, list[Note]] = {}
    for at, steps in places.items():
        line = lines[at - 1]
        mark = mark_for(steps, rollout, reopened=items[at] in reopened)
        marked[at - 1] = replace(line, text=with_mark(line.text, mark))
        below = after(outline, outline.items[items[at]].last)
        indent = _content_indent(line)
        about = notes_for(steps, rollout)
        told = [
            *about,
            *ticked_again(line, mark, said_before.get(below, ()), about),
            *box_notes(line, steps, rollout, outline, items[at]),
        ]
        said = (Note(indent=indent, text=note) for note in told)
        notes.setdefault(below, []).extend(said)
    if places and (words := closing_note(rollout)):
        end = after(outline, _end_of(outline, items[max(places)]))
        notes.setdefault(end, []).append(Note(text=words))
    return _joined(_with_notes(marked, notes))


def unfollow(text: str) -> str:
    """Return the issue's text without our notes; marks stay."""
    return _joined(without_notes(split_lines(text)))


def _above_undone(
    rollout: Rollout,
    places: Mapping[int, tuple[Step, ...]],
    outline: Outline,
    items: Mapping[int, int],
) -> frozenset[int]:
    """Return the indexes of the items in which something stands that was taken back."""
    return frozenset(
        above
        for at, steps in places.items()
        if any(undone(step, rollout) for step in steps)
        for above in outline.items[items[at]].above
    )


def _end_of(outline: Outline, index: int) -> int:
    """Return the last line of the item and everything nested in it."""
    nested = (item.last for item in outline.items[index:] if index in item.above)
    return max((outline.items[index].last, *nested))


def _content_indent(line: Line) -> str:
    marker = marker_of(line.text)
    if marker is None:
        return line.text[: len(line.text) - len(line.text.lstrip())]
    return marker.indent + " " * (len(marker.bullet) + max(len(marker.gap), bool(marker.bullet)))


def _with_notes(lines: Sequence[Line], notes: Mapping[int, Sequence[Note]]) -> list[Line]:
    usual = next((line.ending for line in lines if line.ending), "\n")
    found: list[Line] = []
    for line in lines:
        below = notes.get(line.number, ())
        found.append(replace(line, ending=line.ending or usual) if below else line)
        for at, note in enumerate(below, start=1):
            ending = line.ending if at == len(below) else line.ending or usual
            found.append(note.line(number=line.number, ending=ending))
    return found


def _joined(lines: Sequence[Line]) -> str:
    return "".join(line.text + line.ending for line in lines)
