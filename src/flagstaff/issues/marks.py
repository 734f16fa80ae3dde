"""Which mark does a step's box carry?"""

from __future__ import annotations

from collections.abc import Sequence

from flagstaff.issues.lines import marker_of
from flagstaff.issues.meaning import MARKED
from flagstaff.rollouts.plan import Preset, Step
from flagstaff.rollouts.rollout import Rollout, StepStatus

DONE, SKIPPED = "x", "-"


def mark_for(steps: Sequence[Step], rollout: Rollout) -> str:
    """Return the mark of a line with these steps; empty as long as one of them is not over."""
    states = [rollout.state(step.id).status for step in steps]
    if not all(status.finished for status in states):
        return ""
    if any(status is StepStatus.DONE for status in states):
        return DONE
    peoples_own = all(step.preset is Preset.SKIPPED and step.reason == MARKED for step in steps)
    return "" if peoples_own else SKIPPED


def with_mark(text: str, mark: str) -> str:
    """Return the line with `mark` in its box; a list item without a box gets one.

    A box that somebody has filled stays as it is.
    """
    marker = marker_of(text)
    if not mark or marker is None:
        return text
    at = len(marker.indent) + len(marker.bullet) + len(marker.gap)
    if marker.mark is None:
        return f"{text[:at]}[{mark}] {text[at:]}" if marker.gap else text
    if marker.mark.strip():
        return text
    return f"{text[:at]}[{mark}]{text[at + len('[ ]') :]}"
