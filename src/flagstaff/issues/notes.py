"""What do we write below a step?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flagstaff.definitions.duration import format_duration
from flagstaff.issues.lines import NOTE_END, Line, marker_of
from flagstaff.issues.marks import DONE, undone
from flagstaff.issues.meaning import MARKED
from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.plan import Bake, Close, DeleteFlag, Preset, SetGate, Step, Summary
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus

_AGAIN = "**ticked again**"
_CLAIMS = re.compile(r"\*\*(?:done|set|held)\*\*")
_COMMENT = re.compile(r"<(?=!--)|--(?=>)")


def notes_for(steps: Sequence[Step], rollout: Rollout) -> tuple[str, ...]:
    """Return what is to be said about the steps of one line, a text for each line of the note."""
    entries = []
    for label, together in _rungs(steps):
        said = [_said(step, rollout, labelled=bool(label)) for step in together]
        if found := "; ".join(text for text in said if text):
            entries.append(f"{label}: {found}" if label else found)
    return tuple(f"- {entry}" for entry in entries) if len(entries) > 1 else tuple(entries)


def closing_note(rollout: Rollout) -> str:
    """Return what is to be said about the rollout as a whole; empty while it goes on."""
    match rollout.phase:
        case Phase.COMPLETED:
            text = f"**Rollout completed** {_time(rollout.finished_at)}"
            if rollout.started_at and rollout.finished_at:
                text += f" after {format_duration(rollout.finished_at - rollout.started_at)}"
            evidence = [
                rollout.state(step.id).note
                for step in rollout.plan.steps
                if isinstance(step.action, Bake)
            ]
            last = next((note for note in reversed(evidence) if note), "")
            return f"{text}. Last evidence: {last}" if last else text
        case Phase.ROLLED_BACK:
            said = rollout.reason.removeprefix("Rolled back ").removesuffix(".")
            mark = ": " if rollout.reason.startswith(said) else " "
            text = f"**Rolled back** {_time(rollout.finished_at)}{mark}{said}"
            where = ", ".join(rollout.touched)
            return f"{text}; the gates are as before in {where}" if where else text
        case Phase.EXPIRED:
            how = f"`rollout resume {rollout.id}`"
            return f"**Expired**: {rollout.reason.removeprefix('expired: ')} ({how})"
        case _:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line of a note, and what stands before it so that it belongs to its step."""

    indent: str = ""
    text: str

    def line(self, *, number: int, ending: str) -> Line:
        """Return the note as a line that is known again by its end."""
        words = " ".join(_COMMENT.sub(lambda found: f"{found[0]} ", self.text).split())
        return Line(number=number, text=f"{self.indent}> {words} {NOTE_END}", ending=ending)


def notes_by_line(lines: Sequence[Line]) -> Mapping[int, tuple[str, ...]]:
    """Return our notes by the line they stand below, counted without them."""
    found: dict[int, list[str]] = {}
    number = 0
    for line in lines:
        if line.is_note:
            found.setdefault(number, []).append(line.text)
        else:
            number += 1
    return {at: tuple(texts) for at, texts in found.items()}


def ticked_again(
    line: Line, mark: str, before: Sequence[str], now: Sequence[str]
) -> tuple[str, ...]:
    """Return what we say where somebody took our tick away, now and as long as it stands there.

    Our notes below say already all that is to be said now that every step of the line is done; with
    an open box above them, the tick was taken away.

    Args:
        line: The line of the box, as people left it.
        mark: What the box is to carry.
        before: Our notes below it, as they stand in the text.
        now: What is to be said below it about its steps.
    """
    if mark != DONE:
        return ()
    marker = marker_of(line.text)
    opened = marker is not None and marker.mark is not None and not marker.mark.strip()
    stood = {note.strip() for note in before}
    told = {Note(text=each).line(number=0, ending="").text for each in now}
    claimed = told <= stood and any(_CLAIMS.search(each) for each in told)
    if (opened and claimed) or any(_AGAIN in note for note in before):
        return (f"{_AGAIN}: to take a tick away undoes nothing; `rollout abort` takes it all back",)
    return ()


def without_notes(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines that are not ours, numbered anew, as they were before we wrote."""
    kept = [line for line in lines if not line.is_note]
    texts = [(line.text, line.ending) for line in kept]
    if kept and len(kept) < len(lines) and lines[-1].is_note and not lines[-1].ending:
        # Our note needed a line break after a last line that had none.
        texts[-1] = (kept[-1].text, "")
    return tuple(
        Line(number=number, text=text, ending=ending)
        for number, (text, ending) in enumerate(texts, start=1)
    )


def _rungs(steps: Sequence[Step]) -> list[tuple[str, list[Step]]]:
    """Return the steps of a line, a change of the flag together with the wait after it."""
    found: list[tuple[str, list[Step]]] = []
    for step in steps:
        last = found[-1][1] if found else []
        if isinstance(step.action, Bake) and last and isinstance(last[-1].action, SetGate):
            last.append(step)
        else:
            label = str(step.action.change) if isinstance(step.action, SetGate) else step.title
            found.append((label if len(steps) > 1 else "", [step]))
    return found


def _said(step: Step, rollout: Rollout, *, labelled: bool) -> str:
    state = rollout.state(step.id)
    match state.status:
        case StepStatus.DONE if undone(step, rollout):
            was = f"**undone** {_time(rollout.finished_at)}, was done {_time(state.finished_at)}"
            return was if labelled else f"{was}: {state.note}"
        case StepStatus.DONE if step.preset is not Preset.DONE:
            if labelled and isinstance(step.action, SetGate):
                return f"**set** {_time(state.finished_at)}"
            return _done(step, state)
        case StepStatus.SKIPPED if step.reason != MARKED and not isinstance(step.action, Summary):
            moment = f" {_time(state.finished_at)}" if state.finished_at else ""
            return f"**skipped**{moment}: {state.note}" if state.note else f"**skipped**{moment}"
        case StepStatus.WAITING:
            how = f"`rollout approve {rollout.id} --step {step.id}`"
            asked = f": {state.note}" if state.note else ""
            return f"**waiting** since {_time(state.since)}{asked} ({how})"
        case StepStatus.FAILED:
            return f"**failed** {_time(rollout.finished_at or state.since)}: {state.note}"
        case StepStatus.PENDING if state.retry_at and state.note:
            return f"**failed**, tried again: {state.note}"
        case StepStatus.PENDING if state.undone:
            return "**undone**; it is done anew when the rollout goes on"
        case StepStatus.PENDING if state.approved_by:
            why = f": {state.approval_note}" if state.approval_note else ""
            return f"**approved** by {state.approved_by}{why}; it counts when its turn comes"
        case StepStatus.ACTIVE if isinstance(step.action, Bake | Wait) and state.until:
            return f"**holding** until {_time(state.until)}"
        case StepStatus.ACTIVE if isinstance(step.action, Close) and state.note:
            return f"**held** since {_time(state.since)}: {state.note}"
        case StepStatus.ACTIVE if isinstance(step.action, SetGate | DeleteFlag) and state.until:
            return f"**held** until {_time(state.until)}: {state.note}"
        case _:
            return ""


def _done(step: Step, state: StepState) -> str:
    if isinstance(step.action, Summary):
        return ""
    word = "**held** until" if isinstance(step.action, Bake | Wait) else "**done**"
    by = f" by {state.by}" if state.by and state.by not in state.note else ""
    note = f": {state.note}" if state.note else ""
    return f"{word} {_time(state.finished_at)}{by}{note}"


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "at an unknown time"
