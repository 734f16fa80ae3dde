"""How is a schedule told in words, and to programs?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flagstaff.definitions.duration import format_duration
from flagstaff.definitions.policies import Freeze, QuietHours
from flagstaff.definitions.project import Project
from flagstaff.definitions.windows import frozen
from flagstaff.rollouts.schedule import Entry, Hold, Schedule, Windows


def windows_of(project: Project) -> Windows:
    """Return what says when the project lets nothing open wider."""
    windows: tuple[Freeze | QuietHours, ...] = (
        *project.policies.freeze,
        *project.policies.quiet_hours,
    )

    def hold(environment: str, now: datetime) -> Hold | None:
        found = frozen(windows, environment, now)
        return None if found is None else Hold(reason=f"frozen: {found.reason}", until=found.until)

    return hold


def schedule_text(found: Schedule) -> str:
    """Return the schedule, stage by stage, a line for each step."""
    return "\n".join(_lines(found))


def schedule_json(found: Schedule) -> dict[str, Any]:
    """Return the schedule for programs; times are ISO, lengths are seconds."""
    return {
        "flag": found.flag,
        "begins": found.begins.isoformat(),
        "ends": found.ends.isoformat(),
        "seconds": found.total.total_seconds(),
        "steps": [_entry(each) for each in found.entries],
    }


def _lines(found: Schedule) -> Iterator[str]:
    stage = ""
    for entry in found.entries:
        if entry.step.stage != stage:
            stage = entry.step.stage
            yield stage
        yield f"  {_moment(entry.at)}  {entry.step.id}: {entry.step.title}{_length(entry)}"
        if entry.held:
            yield f"      held: {'; '.join(entry.held)}"
        if entry.needs:
            yield f"      needs: {entry.needs}"
        for each in entry.tells:
            yield f"      {each}"
    open_ended = any(entry.needs for entry in found.entries)
    rest = ", not counting people, deployments and releases" if open_ended else ""
    yield f"at the earliest over {_moment(found.ends)}, after {format_duration(found.total)}{rest}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC"


def _length(entry: Entry) -> str:
    length = entry.until - entry.at
    return f" ({format_duration(length)}, until {_moment(entry.until)})" if length else ""


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.step.id,
        "stage": entry.step.stage,
        "title": entry.step.title,
        "kind": type(entry.step.action).__name__,
        "at": entry.at.isoformat(),
        "until": entry.until.isoformat(),
        "seconds": (entry.until - entry.at).total_seconds(),
        "needs": entry.needs,
        "held": list(entry.held),
        "tells": list(entry.tells),
    }
