"""How are durations watched when all there is are counts by bucket?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.durations import DurationGuard
from flagstaff.rollouts.evidence.settings import RatioGuard


def bucket_guards(guard: DurationGuard) -> tuple[RatioGuard, ...]:
    """Return a guard on the share of slow calls for each bound of `guard`, with its share in parts.

    A ratio of slow calls is no ratio of durations: the margin of `guard` does not carry over.

    Raises:
        ValueError: the guard has no bounds.
    """
    if not guard.bounds:
        raise ValueError(f"{guard.name} has no bounds: name those of the histogram, in seconds")
    return tuple(
        RatioGuard(
            name=f"{guard.name} over {bound:g} s",
            min_bad=0,
            min_units=0,
            false_harm=guard.false_harm,
            share=guard.share / len(guard.bounds),
            false_safe=guard.false_safe,
            onset=guard.onset,
            missing_polls=guard.missing_polls,
            noun="calls",
            required=guard.required,
            dry_run=guard.dry_run,
            on_harm=guard.on_harm,
        )
        for bound in guard.bounds
    )


def slow_calls(
    edges: Sequence[float], cumulative: Sequence[float], bounds: Sequence[float]
) -> tuple[Tally, ...]:
    """Return for each bound how many of a poll's calls took longer.

    Args:
        edges: upper edges of the histogram's buckets in seconds, rising, the last one infinite.
        cumulative: calls of the poll at or below each edge.
        bounds: durations in seconds; each is one of the edges.

    Raises:
        ValueError: a bound is no edge, or the counts fall.
    """
    if any(low > high for low, high in pairwise(cumulative)):
        raise ValueError("counts at or below an edge cannot fall with it: the poll is partial")
    if missing := [bound for bound in bounds if bound not in edges]:
        known = ", ".join(f"{edge:g}" for edge in edges)
        raise ValueError(f"{missing[0]:g} s is no edge of the histogram: choose among {known}")
    total = cumulative[-1]
    below = dict(zip(edges, cumulative, strict=True))
    return tuple(Tally(total=total, bad=total - below[bound]) for bound in bounds)
