"""Which boxes have people marked themselves, while the rollout was elsewhere?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from flagstaff.issues.follow import places_of
from flagstaff.issues.lines import Line, anchor_of, marker_of, split_lines
from flagstaff.issues.notes import without_notes
from flagstaff.issues.outline import outline_of
from flagstaff.rollouts.plan import Preset
from flagstaff.rollouts.rollout import Rollout

_REASON = re.compile(
    r"[ \t]+(?:>[ \t]*)?(?:reason|because|why|skipped)\b[ \t]*:?[ \t]*(?P<why>\S.*)", re.IGNORECASE
)
_AROUND = " \t\u2014\u2013-:;,.()~"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleMark:
    """A box that somebody has ticked, or marked as left out, although its steps are not over.

    Attributes:
        line: where it stands, counted without our notes.
        steps: the ids of its steps that are not over.
        item: the item's text as it stands now.
        preset: what the mark says.
        reason: why it is left out, as far as somebody wrote it there.
    """

    line: int
    steps: tuple[str, ...]
    item: str
    preset: Preset
    reason: str = ""


def people_marks(text: str, rollout: Rollout) -> tuple[PeopleMark, ...]:
    """Return the boxes that are marked and whose steps are neither over nor approved yet."""
    lines = without_notes(split_lines(text))
    found = []
    for at, steps in places_of(rollout, lines, outline_of(lines)).items():
        line = lines[at - 1]
        marker = marker_of(line.text)
        if marker is None or marker.preset is Preset.OPEN:
            continue
        waiting = tuple(
            step.id
            for step in steps
            if step.preset is Preset.OPEN and not rollout.state(step.id).status.finished
        )
        approved = all(rollout.state(each).approved_by for each in waiting)
        if not waiting or (marker.preset is Preset.DONE and approved):
            continue
        found.append(
            PeopleMark(
                line=at,
                steps=waiting,
                item=anchor_of(line.text),
                preset=marker.preset,
                reason=_reason(lines, at, steps[0].anchor),
            )
        )
    return tuple(found)


def with_open_boxes(text: str, marks: Iterable[PeopleMark]) -> str:
    """Return the text with the boxes of these marks empty again, and nothing else changed."""
    lines = split_lines(text)
    numbers = [line.number for line in lines if not line.is_note]
    opened = {numbers[mark.line - 1] for mark in marks if mark.line <= len(numbers)}
    return "".join(
        line.text + line.ending
        for line in (_opened(each) if each.number in opened else each for each in lines)
    )


def _opened(line: Line) -> Line:
    marker = marker_of(line.text)
    if marker is None or marker.mark is None:
        return line
    at = len(marker.indent) + len(marker.bullet) + len(marker.gap)
    rest = line.text[at + len(f"[{marker.mark}]") :]
    return replace(line, text=f"{line.text[:at]}[ ]{rest}")


def _reason(lines: tuple[Line, ...], at: int, anchor: str) -> str:
    """Return what was written behind the item's text since it was imported, or below it."""
    now = anchor_of(lines[at - 1].text)
    if now.startswith(anchor) and (added := now[len(anchor) :].strip(_AROUND)):
        return re.sub(r"^(?:reason|because)\b\s*:?\s*", "", added, flags=re.IGNORECASE)
    below = lines[at].text if at < len(lines) else ""
    found = _REASON.fullmatch(below) if marker_of(below) is None else None
    return found["why"].strip() if found else ""
