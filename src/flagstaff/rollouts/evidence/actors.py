"""Whom do we count when the flag stays with an actor?

Failures cluster: a few actors fail again and again, and whichever side they are on looks bad. So an
actor counts once: with the first failure in the rollout, among those who have not failed yet. That
is a sequential log-rank test (Mantel 1966; ter Schure and others 2024), exact because buckets are
drawn at random. Once per rollout, not per stage: who failed with the flag on keeps it in the next
stage and would fail there again.
"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.rollouts.evidence.counts import Counts, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """One cohort at the end of a poll.

    Args:
        enrolled: actors of the cohort that have been seen in the rollout.
        failed_before: those of them whose first failure lies before this poll, on either side.
        failed_now: those whose first failure is in this poll.
    """

    enrolled: int
    failed_before: int = 0
    failed_now: int = 0

    @property
    def at_risk(self) -> Tally:
        """Return the first failures of the poll among those who had not failed.

        Raises:
            ValueError: more have failed than there are.
        """
        if self.failed_before + self.failed_now > self.enrolled:
            failed = self.failed_before + self.failed_now
            raise ValueError(f"{failed} of {self.enrolled} actors failed: each counts once")
        return Tally(total=self.enrolled - self.failed_before, bad=self.failed_now)


def first_failures(
    treatment: Crowd,
    control: Crowd,
    *,
    poll: int,
    elapsed: float,
    stage: int = 0,
    new: tuple[int, int] | None = None,
) -> Counts:
    """Return the counts of a poll by actors instead of calls.

    Args:
        treatment: those with the flag on.
        control: the others.
        poll: its number.
        elapsed: seconds since watching began.
        stage: its number.
        new: how many were enrolled in the poll, on and off, for what is told of people.

    Raises:
        ValueError: more have failed than there are.
    """
    return Counts(
        poll=poll,
        elapsed=elapsed,
        stage=stage,
        treatment=treatment.at_risk,
        control=control.at_risk,
        units=treatment.failed_now,
        new=new,
    )


def unit_problem(*, sticky: bool, counts_actors: bool, may_count: bool = False) -> str:
    """Return what is wrong with counting calls when the flag stays with an actor, or nothing.

    Args:
        sticky: whether it does.
        counts_actors: whether actors are counted.
        may_count: whether they could be.
    """
    if not sticky or counts_actors:
        return ""
    remedy = "`unit: actors` counts each of them once, and " if may_count else ""
    return (
        "the flag stays with an actor, but calls are counted: a few actors who fail again and "
        f"again can roll back a harmless flag; {remedy}`on_harm: hold` lets a person decide"
    )
