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

if TYPE_CHECKING:
    from flagstaff.integrations.metrics.traffic import Traffic
    from flagstaff.rollouts.guard import Guard
    from flagstaff.rollouts.plan import Plan

DAY = 23.5
"""Hours that are called a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasts:
    """The same line by line and by the id of the step, and what is wrong with it."""

    lines: tuple[str, ...]
    by_step: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def forecasts_of(plan: Plan, *, ask: bool = False) -> Forecasts:
    """Return what the guards can tell in each stage, from what there was in the last day.

    Args:
        plan: what is going to be done.
        ask: whether metric sources are asked too; logs are read in any case.
    """
    # Loads what help does not need.
    from flagstaff.definitions import Project  # noqa: PLC0415
    from flagstaff.integrations.metrics.traffic import Lately  # noqa: PLC0415
    from flagstaff.rollouts.forecast import forecasts, unit_note  # noqa: PLC0415

    lines, warnings = [], []
    by_step: dict[str, tuple[str, ...]] = {}
    asks = ask and any(each.query for each in plan.guards)
    project = project_here().project if asks else Project()
    lately = Lately(Path(), project, plan.guards, datetime.now(UTC))
    for guard in plan.guards:
        if guard.query is not None and not ask:
            lines.append(f"{guard.name}: `flagstaff plan check` asks {guard.query.source}")
            continue
        found = lately.traffic(guard)
        lines.append(f"{guard.name}: {found.error or _traffic(guard, found)}")
        if found.error and guard.query is not None:
            warnings.append(f"{guard.name}: what its stages can tell is not known")
            continue
        for each in forecasts(plan, guard, found.seen, found.over):
            lines.append(f"  {each.text}")
            told = each.text.partition(": ")[2]
            by_step[each.step] = (*by_step.get(each.step, ()), f"{guard.name}: {told}")
            warnings += [each.warning] if each.warning else []
    if note := unit_note(plan):
        lines.append(f"note: {note}")
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


def _traffic(guard: Guard, found: Traffic) -> str:
    hours = found.over.total_seconds() / 3600
    when = "day" if hours >= DAY else f"{hours:.2g} hours"
    where = f"{guard.with_off} " if guard.query is None else ""
    if guard.ranked:
        return f"{found.seen.total:,} {guard.counts} {where}in the last {when}"
    counted = (
        f"{found.seen.failed:,} of {found.seen.total:,} {guard.counts} {where}{guard.went_badly}"
    )
    return f"{counted} in the last {when}"
