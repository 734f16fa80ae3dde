"""Which mark does a step's box carry?"""

from __future__ import annotations

from collections.abc import Sequence

from flagstaff.issues.lines import OPEN_SIGN, TICKED_SIGN, Marker, marker_of
from flagstaff.issues.meaning import MARKED
from flagstaff.rollouts.plan import DeleteFlag, Preset, SetGate, Step, Summary
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus

DONE, SKIPPED, UNDONE = "x", "-", " "


def undone(step: Step, rollout: Rollout) -> bool:
    """Return whether the rollout did this change of the flag and has taken it back."""
    return (
        rollout.phase is Phase.ROLLED_BACK
        and step.preset is Preset.OPEN
        and isinstance(step.action, SetGate | DeleteFlag)
        and rollout.state(step.id).status is StepStatus.DONE
    )


def mark_for(steps: Sequence[Step], rollout: Rollout, *, reopened: bool = False) -> str:
    """Return the mark of a line with these steps; empty as long as one of them is not over.

    `reopened` says that something below the line was taken back, so that a box which only sums up
    is open again.
    """
    sums_up = all(isinstance(step.action, Summary) for step in steps)
    ours = all(step.preset is Preset.OPEN for step in steps)
    if any(undone(step, rollout) for step in steps) or (reopened and sums_up and ours):
        return UNDONE
    states = [rollout.state(step.id).status for step in steps]
    if not all(status.finished for status in states):
        again = any(rollout.state(step.id).undone for step in steps)
        return UNDONE if again and ours else ""
    if any(status is StepStatus.DONE for status in states):
        return DONE
    peoples_own = all(step.preset is Preset.SKIPPED and step.reason == MARKED for step in steps)
    return "" if peoples_own else SKIPPED


def with_mark(text: str, mark: str) -> str:
    """Return the line with `mark` in its box; a list item without a box gets one.

    A box that somebody has filled stays as it is, but a tick for what was taken back goes, so that
    nobody reads it as done.
    """
    marker = marker_of(text)
    if mark == UNDONE and (marker is None or marker.preset is not Preset.DONE):
        return text
    if not mark or marker is None:
        return text
    at = marker.box_at
    if marker.mark is None:
        return f"{text[:at]}[{mark}] {text[at:]}" if marker.gap else text
    if mark != UNDONE and marker.mark.strip():
        return text
    return f"{text[:at]}{_box(marker, mark)}{text[at + len(marker.box) :]}"


def opened(text: str) -> str:
    """Return the line with nothing in its box, whatever somebody wrote there."""
    marker = marker_of(text)
    if marker is None or marker.mark is None:
        return text
    at = marker.box_at
    return f"{text[:at]}{_box(marker, UNDONE)}{text[at + len(marker.box) :]}"


def _box(marker: Marker, mark: str) -> str:
    if marker.box.startswith("[") or mark == SKIPPED:
        return f"[{mark}]"
    return TICKED_SIGN if mark == DONE else OPEN_SIGN
