"""What is said in comments on a rollout's issue? One comment a stage, and one on the whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flagstaff.issues.notes import closing_note
from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.plan import Bake, Preset, Step, Summary
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus

WORDS = {
    StepStatus.PENDING: "to come",
    StepStatus.ACTIVE: "running",
    StepStatus.WAITING: "**waits for a person**",
    StepStatus.DONE: "done",
    StepStatus.SKIPPED: "left out",
    StepStatus.FAILED: "**failed**",
}
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One comment: `key` is what it is about and stays, `text` is how it reads now."""

    key: str
    text: str


def comments_for(rollout: Rollout, address: str = "") -> tuple[Said, ...]:
    """Return the comments as they should read now: the overview, then each stage that has begun.

    `address` is the rollout's page, empty where there is none.
    """
    if rollout.started_at is None:
        return ()
    stages: dict[str, list[Step]] = {}
    for step in rollout.plan.steps:
        if not isinstance(step.action, Summary):
            stages.setdefault(step.stage, []).append(step)
    begun = [(name, steps) for name, steps in stages.items() if _has_begun(steps, rollout)]
    numbers = {name: number for number, name in enumerate(stages, start=1)}
    return (
        Said(key="overview", text=_overview(rollout, address)),
        *(
            Said(key=f"stage-{numbers[name]}", text=_stage(name, steps, rollout))
            for name, steps in begun
        ),
    )


def closing_comment(rollout: Rollout) -> str:
    """Return what is said when the issue is closed, or when the rollout was rolled back."""
    steps = [step for step in rollout.plan.steps if not isinstance(step.action, Summary)]
    states = [rollout.state(step.id).status for step in steps]
    done, left = states.count(StepStatus.DONE), states.count(StepStatus.SKIPPED)
    counted = f"{done} steps done, {left} left out." if left else f"{done} steps done."
    if rollout.phase is Phase.COMPLETED:
        return f"{quiet(closing_note(rollout))}\n\n{counted} Closing this issue."
    more = "This issue stays open: the cause has to be found, and then the rollout begun again."
    return f"{quiet(closing_note(rollout))}\n\n{more}"


def quiet(text: str) -> str:
    """Return a text on one line in which nobody is mentioned and no comment ends."""
    line = " ".join(text.split()).replace("<!--", "<! --").replace("-->", "-- >")
    return re.sub(r"@(?=\w)", "@\u200b", line)


def _has_begun(steps: Sequence[Step], rollout: Rollout) -> bool:
    return any(
        step.preset is Preset.OPEN and rollout.state(step.id).status is not StepStatus.PENDING
        for step in steps
    )


def _overview(rollout: Rollout, address: str) -> str:
    name = f"rollout {rollout.id}"
    linked = f"[{name}]({address})" if address else name
    head = f"Flagstaff runs {linked} of `{rollout.plan.flag}` from this issue."
    step = rollout.current
    match rollout.phase:
        case Phase.COMPLETED | Phase.ROLLED_BACK | Phase.EXPIRED:
            return f"{head}\n\n{quiet(closing_note(rollout))}"
        case Phase.PAUSED:
            stands = f"It is **paused**: {quiet(rollout.reason)}"
        case _ if step is None:
            stands = "Every step is over."
        case _:
            state = rollout.state(step.id)
            stands = f"It is at *{quiet(step.title)}*: {_result(step, state)}"
    how = (
        "A box that a linked person ticks is that person's approval; `[~]` with a reason behind it "
        "leaves a step out. Boxes that Flagstaff ticks have their result below them."
    )
    return f"{head}\n\n{stands}\n\n{how}"


def _stage(name: str, steps: Sequence[Step], rollout: Rollout) -> str:
    over = sum(rollout.state(step.id).status.finished for step in steps)
    lines = [
        f"### {quiet(name) or 'Steps'}",
        "",
        f"{over} of {len(steps)} steps are over.",
        "",
        "| Step | Result | When (UTC) |",
        "|---|---|---|",
    ]
    for step in steps:
        state = rollout.state(step.id)
        when = _time(state.finished_at or state.since)
        lines.append(f"| {_title(step.title)} | {_cell(_result(step, state))} | {when} |")
    return "\n".join(lines)


def _result(step: Step, state: StepState) -> str:
    word = WORDS[state.status]
    if state.status is StepStatus.ACTIVE and isinstance(step.action, Bake | Wait) and state.until:
        return f"holds until {_time(state.until)} UTC at the earliest"
    if state.status is StepStatus.DONE and isinstance(step.action, Bake | Wait):
        word = "held"
    by = f" by {state.by}" if state.by and state.by not in state.note else ""
    note = f": {state.note}" if state.note else ""
    return quiet(f"{word}{by}{note}")


def _cell(text: str) -> str:
    words = quiet(text).replace("|", "\\|")
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} \u2026"


def _title(text: str) -> str:
    """Return a title in which no placeholder is taken for HTML, and so left out."""
    return _cell(text).replace("<", "&lt;")


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else ""
