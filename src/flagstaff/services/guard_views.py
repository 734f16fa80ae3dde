"""What do pages and programs get to read of a guard?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.rollouts.guard import Arm, Guard, Judgement, Measurement, Standing, Verdict
from flagstaff.store.rollouts import RolloutRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    """One guard with its latest reading; without a reading there is no verdict.

    `harm` and `safe` are evidence to 1; `ratio` lies between `low` and `high` with a confidence of
    95 %, and `high` is none when nothing bounds it. `longer` is that of `Judgement`.
    """

    name: str
    verdict: Verdict | None
    evidence: str
    control_names: tuple[str, ...]
    treatment_names: tuple[str, ...]
    control: Arm
    treatment: Arm
    baseline: Arm
    standing: Standing | None
    ratio: float | None
    low: float
    high: float | None
    harm_ratio: float
    safe_ratio: float
    safe_below: float
    harm: float
    harm_limit: float
    safe: float
    safe_limit: float
    dry_run: bool
    required: bool
    on_harm: str
    ranked: bool
    longer: float | None


def guard_views(record: RolloutRecord) -> tuple[GuardView, ...]:
    """Return each guard of a rollout, with its latest reading."""
    readings = {each.guard: each for each in record.readings}
    return tuple(_guard(each, readings.get(each.name)) for each in record.rollout.plan.guards)


def _guard(guard: Guard, reading: Judgement | None) -> GuardView:
    nothing = Judgement(
        guard=guard.name,
        verdict=Verdict.INCONCLUSIVE,
        evidence="",
        measurement=Measurement(guard=guard.name),
    )
    said = reading or nothing
    return GuardView(
        name=guard.name,
        verdict=reading.verdict if reading else None,
        evidence=said.evidence,
        control_names=guard.control,
        treatment_names=guard.treatment,
        control=said.measurement.control,
        treatment=said.measurement.treatment,
        baseline=said.measurement.baseline,
        standing=reading.standing if reading else None,
        ratio=said.ratio,
        low=said.low,
        high=said.high,
        harm_ratio=guard.harm_ratio,
        safe_ratio=said.safe_ratio,
        safe_below=guard.safe_below,
        harm=said.harm,
        harm_limit=said.harm_limit,
        safe=said.safe,
        safe_limit=said.safe_limit,
        dry_run=guard.dry_run,
        required=guard.required,
        on_harm=guard.on_harm.value,
        ranked=guard.ranked,
        longer=said.longer,
    )
