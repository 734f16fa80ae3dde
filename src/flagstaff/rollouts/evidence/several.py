"""What do several guards show together?

The weighted mean of evidences is evidence, however the metrics hang together (Vovk and Wang 2021),
and no other way to merge them is better without knowing how they do (Wang 2024).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from flagstaff.rollouts.evidence.logspace import log_sum
from flagstaff.rollouts.evidence.ratio import evidence_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What guards show together: evidence and limit to 1, and who shows most.

    `proven` are the guards that each show harm alone.
    """

    evidence: float
    limit: float
    harmful: bool
    proven: tuple[str, ...]
    largest: str


def shares(weights: Mapping[str, float], kept_back: float = 0.1) -> dict[str, float]:
    """Return each guard's share of the chance of a false rollback.

    Args:
        weights: how much each guard matters, above 0.
        kept_back: for guards that are added later, 0 to below 1; with one guard, nothing is.

    Raises:
        ValueError: a weight is not above 0.
    """
    if wrong := [name for name, weight in weights.items() if not weight > 0]:
        raise ValueError(f"the weight of {', '.join(wrong)} must be above 0")
    whole = sum(weights.values())
    rest = 1.0 - kept_back if len(weights) > 1 else 1.0
    return {name: rest * weight / whole for name, weight in weights.items()}


def together(
    log_evidence: Mapping[str, float], shared: Mapping[str, float], false_harm: float
) -> Together:
    """Return what guards show together.

    Args:
        log_evidence: the logarithm of each guard's evidence of harm.
        shared: their shares, adding up to 1 at most; what is left over counts as no evidence.
        false_harm: chance of a rollback without harm for all of them together.
    """
    rest = max(0.0, 1.0 - sum(shared[name] for name in log_evidence))
    parts = [log(shared[name]) + value for name, value in log_evidence.items()]
    mean = log_sum([*parts, log(rest)] if rest else parts)
    proven = tuple(
        name for name, value in log_evidence.items() if value >= -log(false_harm * shared[name])
    )
    return Together(
        evidence=evidence_ratio(mean),
        limit=1.0 / false_harm,
        harmful=mean >= -log(false_harm),
        proven=proven,
        largest=max(log_evidence, key=lambda name: shared[name] and log_evidence[name], default=""),
    )
