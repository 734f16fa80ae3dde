"""What have people said by the boxes that they ticked?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flagstaff.issues.lines import Line, anchor_of, marker_of, split_lines
from flagstaff.issues.notes import without_notes
from flagstaff.issues.outline import Item, Outline, outline_of
from flagstaff.issues.placing import places_of
from flagstaff.issues.wording import plain
from flagstaff.rollouts.plan import Approve, AskPerson, Preset, Step, Summary
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus

_WORDS = r"reason|why|skipped|because|since|not (?:needed|applicable)|n/?a"
_GIVEN = re.compile(
    rf"\W*(?:{_WORDS})\b(?: (?:as|since|because)\b)?\W*(.*)", re.IGNORECASE | re.DOTALL
)
_APART = " \t\u00a0-\u2013\u2014:;,.(<>*_~"
_LONGEST = 500
WHY = (
    "**why?** write the reason behind the text or below it as `Reason: \u2026`, and this is "
    "skipped; until then it is not"
)
NOT_BY_HAND = (
    "Flagstaff does or checks this itself when its turn comes; to leave it out, write `[-]` and "
    "the reason"
)
BY_HAND = f"**ticked by hand**: {NOT_BY_HAND}"


class Said(StrEnum):
    """What a box says that a person has filled, about a step that is not over."""

    APPROVED = "approved"
    SKIPPED = "skipped"
    NO_REASON = "no reason"
    NOT_THEIRS = "not theirs"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxAnswer:
    """What a person has said about a step by its box.

    Attributes:
        step: The step's id.
        said: A yes, a skip with its reason, a skip that still wants one, or a tick for something
            that no person does.
        line: Where the box stands in the text as it was given.
        reason: Why it is skipped.
    """

    step: str
    said: Said
    line: int
    reason: str = ""


def box_answers(text: str, rollout: Rollout) -> tuple[BoxAnswer, ...]:
    """Return what people have said in the issue's text and the rollout has not heard yet.

    We tick a box only when its steps are over, so every other tick is somebody's; but where a stage
    was undone it may be ours of before, so there it says nothing. A tick is a yes to what a person
    is asked; what Flagstaff does itself is not done by a tick.
    """
    if rollout.phase.finished or rollout.phase in {Phase.PENDING, Phase.EXPIRED}:
        return ()
    all_lines = split_lines(text)
    lines = without_notes(all_lines)
    outline = outline_of(lines)
    items = {item.line: at for at, item in enumerate(outline.items)}
    numbers = [line.number for line in all_lines if not line.is_note]
    found: list[BoxAnswer] = []
    for at, steps in places_of(rollout, lines, outline).items():
        said = _said(lines[at - 1], steps, rollout, outline, items[at])
        for step, (kind, reason) in said.items():
            found.append(BoxAnswer(step=step, said=kind, line=numbers[at - 1], reason=reason))
    return tuple(found)


def box_notes(
    line: Line, steps: Sequence[Step], rollout: Rollout, outline: Outline, index: int
) -> tuple[str, ...]:
    """Return what we answer below a box that somebody has filled, and that does not count so."""
    if rollout.phase.finished or rollout.phase in {Phase.PENDING, Phase.EXPIRED}:
        return ()
    kinds = {kind for kind, _ in _said(line, steps, rollout, outline, index).values()}
    if Said.NO_REASON in kinds:
        return (WHY,)
    if kinds == {Said.NOT_THEIRS}:
        return (BY_HAND,)
    return ()


def _said(
    line: Line, steps: Sequence[Step], rollout: Rollout, outline: Outline, index: int
) -> Mapping[str, tuple[Said, str]]:
    """Return what the box says about each of its steps that is not over."""
    marker = marker_of(line.text)
    asked = [step for step in steps if _is_open(step, rollout)]
    if marker is None or not asked:
        return {}
    match marker.preset:
        case Preset.DONE:
            return {
                step.id: (Said.APPROVED if _asks(step, rollout) else Said.NOT_THEIRS, "")
                for step in asked
                if not isinstance(step.action, Summary) and _may_say(rollout.state(step.id))
            }
        case Preset.SKIPPED:
            reason = _reason(steps[0].anchor, line, outline, index)
            said = Said.SKIPPED if reason else Said.NO_REASON
            return {step.id: (said, reason) for step in asked}
        case Preset.OPEN:
            return {}


def _reason(anchor: str, line: Line, outline: Outline, index: int) -> str:
    """Return why somebody skips an item, as they wrote it.

    It stands behind the item's first text, or in the item or in one directly below that has no box,
    after a word such as `Reason:`.
    """
    item = outline.items[index]
    now = anchor_of(line.text)
    added = now[len(anchor) :] if anchor and now.startswith(anchor) else ""
    candidates = ["\n".join(item.text.split("\n")[1:])]
    candidates += [below.text for below in outline.items[index + 1 :] if _is_below(below, index)]
    given = [part for text in candidates for part in text.split("\n") if _GIVEN.match(part)]
    for text in (added, *given):
        found = _GIVEN.match(text)
        if reason := (_clean(found[1]) if found else "") or _clean(text):
            return reason
    return ""


def _is_below(below: Item, index: int) -> bool:
    boxed = below.marker is not None and below.marker.mark is not None
    return below.above[:1] == (index,) and not boxed


def _clean(text: str) -> str:
    words = plain(text).strip(_APART).removesuffix(")").strip()
    return words[:_LONGEST] if any(sign.isalnum() for sign in words) else ""


def _is_open(step: Step, rollout: Rollout) -> bool:
    return step.preset is Preset.OPEN and not rollout.state(step.id).status.finished


def _may_say(state: StepState) -> bool:
    """Return whether a tick can be news: nobody has said yes, and none of ours can stand there."""
    return not state.approved_by and not state.undone


def _asks(step: Step, rollout: Rollout) -> bool:
    """Return whether a person's word is what the step waits for, or will wait for."""
    waits = rollout.state(step.id).status is StepStatus.WAITING
    return isinstance(step.action, Approve | AskPerson) or waits
