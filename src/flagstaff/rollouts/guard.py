"""Is what we measure still as it must be?

This is the plain check on job names: the failure rate under the new names against the rate under
the old ones, with half a failure added to either side so that a clean control does not divide by
zero (Haldane and Anscombe's correction for a ratio of proportions).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LEAST_FAILURES = 5
"""Failures under the new names below which no ratio is believed, however large."""

MOST = 0.5
"""Share of failures that is harm even when there is nothing to compare it with."""


class Verdict(StrEnum):
    """What one reading says."""

    PASS = "pass"  # noqa: S105 a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A ratio of failure rates that must hold while people are exposed.

    Args:
        logs: patterns of JSON job logs, relative to the project.
        control: the job names that count as "flag off".
        treatment: the job names that count as "flag on".
        max_ratio: the highest accepted treatment rate divided by control rate, above 1.
        min_jobs: finished jobs under the treatment names before anything can pass.
    """

    name: str
    logs: tuple[str, ...]
    control: tuple[str, ...]
    treatment: tuple[str, ...]
    max_ratio: float = 2.0
    min_jobs: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Finished jobs on one side of the comparison, and how many of them failed."""

    total: int = 0
    failed: int = 0

    @property
    def rate(self) -> float:
        """Return failures as a share of finished jobs, 0 to 1, with half a failure added."""
        return (self.failed + 0.5) / (self.total + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One reading of a guard, since watching began; `error` says why there is none."""

    guard: str
    treatment: Arm = Arm()
    control: Arm = Arm()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its evidence in words."""

    guard: str
    verdict: Verdict
    evidence: str
    measurement: Measurement


def judge(guard: Guard, measurement: Measurement) -> Judgement:
    """Return what `measurement` says about `guard`.

    Harm is believed as soon as there are `LEAST_FAILURES` failures and the ratio is above the
    limit; safety only after `min_jobs` finished jobs. With no jobs at all under the old names a
    ratio would be made up: harm is then that most of the new ones fail, and nothing passes.
    """
    treatment, control = measurement.treatment, measurement.control
    enough = treatment.failed >= LEAST_FAILURES
    ratio = treatment.rate / control.rate
    counts = (
        f"{treatment.failed} of {treatment.total} jobs failed under the new names, "
        f"{control.failed} of {control.total} under the old"
    )
    if measurement.error:
        verdict, evidence = Verdict.ERROR, f"no data: {measurement.error}"
    elif enough and not control.total and treatment.rate > MOST:
        verdict, evidence = Verdict.FAIL, f"{counts}: most of them, and none to compare with"
    elif enough and control.total and ratio > guard.max_ratio:
        verdict = Verdict.FAIL
        times = f"{ratio:.1f}x the rate, " if control.failed else ""
        evidence = f"{counts}: {times}the limit is {guard.max_ratio:g}x"
    elif treatment.total < guard.min_jobs:
        verdict = Verdict.INCONCLUSIVE
        evidence = f"{treatment.total} of {guard.min_jobs} jobs seen under the new names"
    elif not control.total:
        verdict = Verdict.INCONCLUSIVE
        evidence = f"{treatment.total} jobs seen under the new names, none under the old"
    else:
        verdict, evidence = Verdict.PASS, counts
    return Judgement(guard=guard.name, verdict=verdict, evidence=evidence, measurement=measurement)
