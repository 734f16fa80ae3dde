"""What can the guards of a plan tell, at the traffic in the logs of this folder?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flagstaff.cli.plan_sources import project_here
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import FlagstaffError
from flagstaff.rollouts.guard import Arm

if TYPE_CHECKING:
    from flagstaff.rollouts.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasts:
    """The same line by line and by the id of the step, and what is wrong with it."""

    lines: tuple[str, ...]
    by_step: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def forecasts_of(plan: Plan) -> Forecasts:
    """Return what the guards can tell in each stage, from the logs of the last day."""
    # Loads what help does not need.
    from flagstaff.integrations.metrics.job_logs import BASELINE, JobLogs  # noqa: PLC0415
    from flagstaff.rollouts.forecast import forecasts  # noqa: PLC0415

    lines, warnings = [], []
    by_step: dict[str, tuple[str, ...]] = {}
    for guard in plan.guards:
        measured = JobLogs(Path(), guard, datetime.now(UTC)).measure()
        lines.append(f"{guard.name}: {measured.error or _traffic(measured.baseline)}")
        for each in forecasts(plan, guard, measured.baseline, BASELINE):
            lines.append(f"  {each.text}")
            told = each.text.partition(": ")[2]
            by_step[each.step] = (*by_step.get(each.step, ()), f"{guard.name}: {told}")
            warnings += [each.warning] if each.warning else []
    return Forecasts(lines=tuple(lines), by_step=by_step, warnings=tuple(warnings))


def with_forecasts(rehearsed: Outcome) -> Outcome:
    """Return what came of a dry run with what the guards can tell, if that can be known here.

    The server may be elsewhere, and this folder no project: then it is as it was.
    """
    from flagstaff.definitions.plans import read_plan  # noqa: PLC0415 loads YAML

    try:
        told = forecasts_of(read_plan(str(rehearsed.data["plan"]), project_here()).plan)
    except (FlagstaffError, KeyError):
        return rehearsed
    if not told.by_step:
        return rehearsed
    data: dict[str, Any] = dict(rehearsed.data)
    steps = [
        {**each, "tells": list(told.by_step.get(each["id"], ()))}
        for each in data["schedule"]["steps"]
    ]
    data["schedule"] = {**data["schedule"], "steps": steps}
    return replace(rehearsed, text="\n".join((*told.lines, "", rehearsed.text)), data=data)


def _traffic(arm: Arm) -> str:
    return f"{arm.failed:,} of {arm.total:,} jobs under the old names failed in the last day"
