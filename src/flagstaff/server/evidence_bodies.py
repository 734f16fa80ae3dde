"""How does the history of a guard's evidence look as JSON?"""

from __future__ import annotations

from datetime import datetime

from flagstaff.server.bodies import Body
from flagstaff.services.evidence import GuardHistory, Point


class CountBody(Body):
    """What was counted on one side, and how much of it failed."""

    total: int
    failed: int


class PointBody(Body):
    """What a guard said after one poll.

    `treatment` and `control` are counted since watching began. `ratio` lies between `low` and
    `high` with a confidence of 95 %, however often one looks; `high` is null when nothing bounds
    it. `log_harm` and `log_safe` are natural logarithms of evidence to 1.
    """

    at: datetime
    poll: int
    stage: int
    percentage: float
    standing: str
    treatment: CountBody
    control: CountBody
    ratio: float | None
    low: float
    high: float | None
    log_harm: float
    log_harm_limit: float
    log_safe: float
    log_safe_limit: float

    @classmethod
    def of(cls, point: Point) -> PointBody:
        """Return the body for a point."""
        return cls(
            at=point.at,
            poll=point.poll,
            stage=point.stage,
            percentage=point.percentage,
            standing=point.standing.value,
            treatment=CountBody.model_validate(point.treatment),
            control=CountBody.model_validate(point.control),
            ratio=point.ratio,
            low=point.low,
            high=point.high,
            log_harm=point.harm,
            log_harm_limit=point.harm_limit,
            log_safe=point.safe,
            log_safe_limit=point.safe_limit,
        )


class GuardHistoryBody(Body):
    """How the evidence of one guard has grown, oldest first; the older, the further apart."""

    guard: str
    counts: str
    harm_ratio: float
    points: list[PointBody]

    @classmethod
    def of(cls, history: GuardHistory) -> GuardHistoryBody:
        """Return the body for a guard."""
        return cls(
            guard=history.guard,
            counts=history.counts,
            harm_ratio=history.harm_ratio,
            points=[PointBody.of(each) for each in history.points],
        )
