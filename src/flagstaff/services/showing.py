"""Where does a rollout stand, for people and for programs?"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

from flagstaff.commands.model import ListRollouts, ShowRollout
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.suggesting import next_command
from flagstaff.rollouts.guard import Arm
from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rollout import Rollout, StepState, StepStatus
from flagstaff.services.finding import find_rollout
from flagstaff.services.lives.due import due_of
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

MARKS = {
    StepStatus.PENDING: "·",
    StepStatus.ACTIVE: "▸",
    StepStatus.WAITING: "?",
    StepStatus.DONE: "✓",
    StepStatus.SKIPPED: "-",
    StepStatus.FAILED: "✗",
}
SHOWN_LINES = 10
"""Lines of a command's output that are shown; all that is kept is in the data."""


def list_rollouts(unit: Unit, command: ListRollouts) -> Outcome:
    """List the rollouts, newest first."""
    records = store.find(unit.connection, active=command.active)
    if not records:
        return Outcome(
            text="there are no rollouts yet" if not command.active else "no rollout is under way",
            data={"rollouts": []},
            next="flagstaff rollout import ISSUE.md",
        )
    lines = [_headline(each.rollout) for each in records]
    return Outcome(text="\n".join(lines), data={"rollouts": [_summary(each) for each in records]})


def show_rollout(unit: Unit, command: ShowRollout) -> Outcome:
    """Show every step of a rollout with its result, and what its guards read.

    Raises:
        NotFound: there is none with this number.
    """
    record = find_rollout(unit, command.rollout)
    rollout = record.rollout
    lines = [_headline(rollout), rollout.plan.title]
    pairs = zip(rollout.plan.steps, rollout.states, strict=True)
    for stage, members in groupby(pairs, key=lambda pair: pair[0].stage):
        lines += ["", stage]
        lines += [_line(step, state) for step, state in members]
    if record.readings:
        lines += ["", "Guards"]
        lines += [f"  {each.guard}: {each.verdict}, {each.evidence}" for each in record.readings]
    due = due_of(unit, rollout.plan.flag)
    if due:
        lines += ["", f"{rollout.plan.flag}: {due}"]
    data = {**_details(record), "due": due.to_json() if due else None}
    return Outcome(text="\n".join(lines), data=data, next=_next(rollout))


def _headline(rollout: Rollout) -> str:
    words = [f"rollout {rollout.id}", rollout.plan.flag, rollout.phase.replace("_", " ")]
    current = rollout.current
    if current is not None and not rollout.phase.finished:
        words.append(f"at {current.id}")
    line = "  ".join(words)
    return f"{line}: {rollout.reason}" if rollout.reason else line


def _line(step: Step, state: StepState) -> str:
    line = f"  {MARKS[state.status]} {step.title}"
    details = []
    if state.status is StepStatus.WAITING:
        details.append("waits for a person")
    if state.until is not None and not state.status.finished:
        details.append(f"until {state.until:%Y-%m-%d %H:%M} UTC at the earliest")
    if state.note:
        details.append(state.note)
    more = [f"\n      {'; '.join(details)}"] if details else []
    more += [f"\n        | {each}" for each in state.output.splitlines()[-SHOWN_LINES:]]
    return line + "".join(more)


def _next(rollout: Rollout) -> str:
    step = rollout.current
    failed = step is not None and rollout.state(step.id).status is StepStatus.FAILED
    return next_command(rollout.id, rollout.phase, failed=failed)


def _summary(record: RolloutRecord) -> dict[str, Json]:
    rollout = record.rollout
    current = rollout.current
    finished = sum(state.status.finished for state in rollout.states)
    return {
        "rollout": rollout.id,
        "flag": rollout.plan.flag,
        "title": rollout.plan.title,
        "phase": rollout.phase.value,
        "reason": rollout.reason,
        "step": current.id if current else None,
        "steps_finished": finished,
        "steps": len(rollout.states),
        "started_at": _iso(rollout.started_at),
        "finished_at": _iso(rollout.finished_at),
    }


def _details(record: RolloutRecord) -> dict[str, Json]:
    rollout = record.rollout
    steps: list[Json] = [
        {
            "id": step.id,
            "stage": step.stage,
            "title": step.title,
            "kind": type(step.action).__name__,
            "line": step.line,
            "status": state.status.value,
            "since": _iso(state.since),
            "until": _iso(state.until),
            "finished_at": _iso(state.finished_at),
            "note": state.note,
            "output": state.output,
            "by": state.by,
        }
        for step, state in zip(rollout.plan.steps, rollout.states, strict=True)
    ]
    guards: list[Json] = [
        {
            "guard": each.guard,
            "verdict": each.verdict.value,
            "evidence": each.evidence,
            "treatment": _arm(each.measurement.treatment),
            "control": _arm(each.measurement.control),
            "longer": each.longer,
        }
        for each in record.readings
    ]
    cleanup: dict[str, Json] | None = None
    if rollout.cleanup is not None:
        cleanup = {
            "branch": rollout.cleanup.branch,
            "commit": rollout.cleanup.commit,
            "files": rollout.cleanup.files,
            "residues": list(rollout.cleanup.residues),
            "merged": rollout.merged or None,
        }
    return {**_summary(record), "steps": steps, "guards": guards, "cleanup": cleanup}


def _arm(arm: Arm) -> dict[str, Json]:
    return {"total": arm.total, "failed": arm.failed}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
