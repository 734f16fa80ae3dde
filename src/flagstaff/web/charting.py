"""What is drawn of a rollout over time? The same numbers stand in a table beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flagstaff.services.answer_counts import AnswerCount
from flagstaff.services.course import CHANGES, Course
from flagstaff.services.evidence import GuardHistory
from flagstaff.services.person import Source
from flagstaff.services.views import AuditView

ENGINE = "engine"
PERSON = "person"
DEPLOYMENT = "deployment"
STAGE = "stage"


def actor_of(entry: AuditView) -> str:
    """Return who did something: the engine, a person, or whoever deploys."""
    if entry.action.startswith("deployment."):
        return DEPLOYMENT
    return ENGINE if entry.source == Source.ENGINE else PERSON


def chart(course: Course, now: datetime) -> dict[str, Any]:
    """Return the line of the share and the marks on its time axis, times as seconds."""
    end = course.ended or now
    points: list[tuple[datetime, float]] = []
    if course.begun and course.openings:
        points.append((course.begun, course.openings[0].before))
    points += [(each.at, each.share) for each in course.openings]
    if points:
        points.append((max(end, points[-1][0]), points[-1][1]))
    return {
        "x": [at.timestamp() for at, _ in points],
        "share": [share for _, share in points],
        "environment": course.environment,
        "marks": [
            {"at": each.at.timestamp(), "by": actor_of(each), "text": _said(each)}
            for each in reversed(course.journal)
            if actor_of(each) != ENGINE or each.action == "rollout.rolled_back"
        ],
    }


def evidence_chart(history: GuardHistory) -> dict[str, Any]:
    """Return how a guard's ratio and its bounds went, and where the flag was opened wider or less.

    `known` says where the ratio means anything; `high` is none where nothing bounds it.
    """
    points = history.points
    changed = [
        now
        for before, now in zip((None, *points), points, strict=False)
        if before is None or before.percentage != now.percentage or before.began != now.began
    ]
    return {
        "x": [each.at.timestamp() for each in points],
        "known": [each.known for each in points],
        "ratio": [each.ratio for each in points],
        "low": [each.low for each in points],
        "high": [each.high for each in points],
        "limit": history.harm_ratio,
        "marks": [
            {"at": each.at.timestamp(), "by": STAGE, "text": f"{each.percentage:g} %"}
            for each in changed
        ],
    }


def answers_chart(counts: list[AnswerCount], log: Iterable[AuditView]) -> dict[str, Any]:
    """Return how often a flag answered on and off in one environment, and who changed it there."""
    places = {each.environment for each in counts}
    return {
        "x": [each.at.timestamp() for each in counts],
        "on": [each.on for each in counts],
        "off": [each.off for each in counts],
        "marks": [
            {"at": each.at.timestamp(), "by": actor_of(each), "text": _said(each)}
            for each in log
            if each.environment in places and each.action in CHANGES
        ],
    }


def _said(entry: AuditView) -> str:
    what = entry.text or entry.action
    return f"{entry.who}: {what}"[:120]
