"""How does the issue's text follow the rollout?

Only two things ever change: the marks in boxes, and lines of our own that end with a sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flagstaff.issues.lines import Line, anchor_of, marker_of, split_lines
from flagstaff.issues.locate import Place, locate
from flagstaff.issues.marks import mark_for, undone, with_mark
from flagstaff.issues.notes import Note, closing_note, notes_for, without_notes
from flagstaff.issues.outline import Outline, outline_of
from flagstaff.issues.sections import Section
from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rollout import Rollout


def follow(text: str, rollout: Rollout) -> str:
    """Return the issue's text as it should read now; every other byte stays as it was.

    Boxes of steps that are over are ticked, `[x]` for done and `[-]` for skipped, and below each
    step that is over, waits or failed stands what came of it. What a rollback took back is open
    again, with the boxes that sum it up. Doing it again changes nothing.
    """
    lines = without_notes(split_lines(text))
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
        below = _after(outline, outline.items[items[at]].last)
        indent = _content_indent(line)
        said = (Note(indent=indent, text=note) for note in notes_for(steps, rollout))
        notes.setdefault(below, []).extend(said)
    if places and (words := closing_note(rollout)):
        end = _after(outline, _end_of(outline, items[max(places)]))
        notes.setdefault(end, []).append(Note(text=words))
    return _joined(_with_notes(marked, notes))


def unfollow(text: str) -> str:
    """Return the issue's text without our notes; marks stay."""
    return _joined(without_notes(split_lines(text)))


def places_of(
    rollout: Rollout, lines: Sequence[Line], outline: Outline
) -> Mapping[int, tuple[Step, ...]]:
    """Return the steps by the line where they stand now."""
    groups: dict[int, list[Step]] = {}
    for step in rollout.plan.steps:
        if step.line:
            groups.setdefault(step.line, []).append(step)
    wanted = [Place(line=line, anchor=groups[line][0].anchor) for line in sorted(groups)]
    present = [
        Place(line=item.line, anchor=anchor_of(lines[item.line - 1].text))
        for item in outline.items
        if item.section is not Section.ROLLBACK
    ]
    found = locate(wanted, present)
    return {found[line]: tuple(groups[line]) for line in sorted(groups) if line in found}


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


def _after(outline: Outline, line: int) -> int:
    """Return the first line from `line` on at whose end no comment or code is open."""
    while line in outline.inside:
        line += 1
    return line


def _content_indent(line: Line) -> str:
    marker = marker_of(line.text)
    if marker is None:
        return line.text[: len(line.text) - len(line.text.lstrip())]
    return marker.indent + " " * (len(marker.bullet) + max(len(marker.gap), 1))


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
