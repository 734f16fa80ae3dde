"""How is it told on a terminal how the evidence of each guard has grown?"""

from __future__ import annotations

from datetime import UTC

from flagstaff.commands.model import ShowEvidence
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.rollouts.evidence.message import to_one
from flagstaff.services.evidence import GuardHistory, Point, history
from flagstaff.services.unit import Unit

SHOWN = 20
"""So many polls of a guard are told line by line; all of them are in the data."""


def show_evidence(unit: Unit, command: ShowEvidence) -> Outcome:
    """Show what each guard said, poll by poll.

    Raises:
        NotFound: there is no such rollout, or it has no such guard.
        UsageError: `since` is no moment.
    """
    found = history(unit, command.rollout, guard=command.guard, since=command.since)
    lines = [line for each in found for line in _lines(each)]
    data: dict[str, Json] = {"rollout": command.rollout, "guards": [_json(each) for each in found]}
    text = "\n".join(lines) if lines else f"rollout {command.rollout} has no guard"
    return Outcome(text=text, data=data)


def _lines(guard: GuardHistory) -> list[str]:
    points = guard.points[-SHOWN:]
    left = len(guard.points) - len(points)
    more = f", the latest {len(points)} of {len(guard.points)} readings (--json has all)"
    head = f"{guard.guard}: {guard.counts}, harmless up to {guard.harm_ratio:g}x"
    lines = [head + (more if left else "")]
    if not points:
        return [*lines, "  nothing was read"]
    return [*lines, *(f"  {_line(each, ranked=guard.ranked)}" for each in points)]


def _line(point: Point, *, ranked: bool) -> str:
    on, off = point.treatment, point.control
    counts = f"{on.failed:,} of {on.total:,} against {off.failed:,} of {off.total:,}"
    ratio = "no ratio"
    if ranked:
        counts, ratio = f"{on.total:,} against {off.total:,}", "in pairs"
    elif point.known:
        high = "more" if point.high is None else f"{point.high:.2g}x"
        ratio = f"{point.ratio:.2g}x ({point.low:.2g}x to {high})"
    return (
        f"{point.at.astimezone(UTC):%m-%d %H:%M:%S}  {point.percentage:g} %  "
        f"{counts}  {ratio}  "
        f"safe {to_one(point.safe_to_one)}, harm {to_one(point.harm_to_one)}  "
        f"{point.standing.value.replace('_', ' ')}"
    )


def _json(guard: GuardHistory) -> Json:
    return {
        "guard": guard.guard,
        "counts": guard.counts,
        "harm_ratio": guard.harm_ratio,
        "points": [_point_json(each) for each in guard.points],
    }


def _point_json(point: Point) -> Json:
    return {
        "at": point.at.isoformat(),
        "poll": point.poll,
        "stage": point.stage,
        "percentage": point.percentage,
        "standing": point.standing.value,
        "treatment": {"total": point.treatment.total, "failed": point.treatment.failed},
        "control": {"total": point.control.total, "failed": point.control.failed},
        "ratio": point.ratio,
        "low": point.low,
        "high": point.high,
        "log_harm": point.harm,
        "log_harm_limit": point.harm_limit,
        "log_safe": point.safe,
        "log_safe_limit": point.safe_limit,
    }
