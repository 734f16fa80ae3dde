"""Is it proven that no job of a name is left, and by which rollout?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flagstaff.rollouts.checks import CheckDrained
from flagstaff.rollouts.rollout import StepStatus
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store

MOST = 50
"""So many flags are looked at; each decides between two names of a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainProof:
    """The step that proves it, and what it said last; `at` is when it began or was over."""

    rollout: int
    step: str
    status: StepStatus
    note: str
    at: datetime | None


def drain_proofs(unit: Unit, flags: Iterable[str]) -> dict[str, DrainProof]:
    """Return the proofs in the newest rollout of each flag, by the name of the job.

    Of several of one rollout it is the last that has begun, or the first.
    """
    found = {}
    for flag in sorted({*flags})[:MOST]:
        for record in store.find(unit.connection, flag=flag, limit=1):
            for step in record.rollout.plan.steps:
                if isinstance(step.action, CheckDrained):
                    state = record.rollout.state(step.id)
                    if step.action.name in found and state.status is StepStatus.PENDING:
                        continue
                    found[step.action.name] = DrainProof(
                        rollout=record.rollout.id,
                        step=step.id,
                        status=state.status,
                        note=state.note,
                        at=state.finished_at or state.since,
                    )
    return found
