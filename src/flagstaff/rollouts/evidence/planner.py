"""What can each stage tell at the traffic there is?

For any rule that rolls back a harmless rollout with a chance of at most `false_harm`, and a harmful
one in the end, the mean number of requests until then is at least log(1 / false_harm) / I, where I
is the information of one request against the closest harmless world (Wald 1945).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt

SLACK = 1.5
"""How many times the least number of requests evidence takes: 1.3 to 1.7 in the benchmarks."""

MOST = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one stage can show.

    Args:
        share: of people with the flag, 0 to 1.
        detectable: smallest ratio of harm that is found within the stage, infinite for none.
        safe_after: seconds until a harmless flag is shown to be safe, infinite for never.
        requests: how many come in the stage, both sides.
    """

    share: float
    detectable: float
    safe_after: float
    requests: float


def information(base: float, ratio: float, share: float, margin: float = 1.0) -> float:
    """Return what one request tells about `ratio` against the nearest harmless world, in nats.

    Args:
        base: rate with the flag off, above 0 and below 1.
        ratio: rate with the flag on, as a multiple of it.
        share: of requests with the flag on, above 0 and below 1.
        margin: ratio that is still harmless.
    """
    treated = min(base * ratio, 0.999)

    def distance(rate: float) -> float:
        on = min(max(margin * rate, 1e-12), 1 - 1e-12)
        return share * _divergence(treated, on) + (1.0 - share) * _divergence(base, rate)

    low, high = sorted((treated / margin, base))
    for _ in range(80):
        left, right = low + (high - low) * 0.382, low + (high - low) * 0.618
        if distance(left) < distance(right):
            high = right
        else:
            low = left
    return distance((low + high) / 2)


def _divergence(p: float, q: float) -> float:
    """Return the Kullback-Leibler divergence of one Bernoulli trial from another."""
    value = p * log(p / q) if p else 0.0
    return value + ((1.0 - p) * log((1.0 - p) / (1.0 - q)) if p < 1 else 0.0)


def least_requests(
    base: float, ratio: float, share: float, false_harm: float, margin: float = 1.0
) -> float:
    """Return the bound on the mean number of requests, both sides, until harm can be shown."""
    told = information(base, ratio, share, margin)
    return log(1.0 / false_harm) / told if told > 0 else inf


def detectable(
    base: float, share: float, requests: float, false_harm: float, margin: float = 1.0
) -> float:
    """Return the smallest ratio that is found within `requests`, infinite when none is.

    >>> round(detectable(0.01, 0.10, 100 * 900, 0.05), 2)
    1.35
    """
    top = min(MOST, 0.99 / base)

    def found(ratio: float) -> bool:
        return SLACK * least_requests(base, ratio, share, false_harm, margin) <= requests

    if not found(top):
        return inf
    low, high = margin, top
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def detectable_in_pairs(share: float, calls: float, false_harm: float) -> float:
    """Return from which share of pairs on ranks find that calls with the flag on take longer.

    Infinite when none is found. Of d above one half a call tells 6 share (1 - share) d^2 nats.

    Args:
        share: of calls with the flag on, above 0 and below 1.
        calls: how many are compared, both sides.
        false_harm: chance of a rollback without harm.

    >>> round(detectable_in_pairs(0.5, 400, 0.05), 2)
    0.59
    """
    told = 6.0 * share * (1.0 - share) * calls
    more = sqrt(SLACK * log(1.0 / false_harm) / told) if told > 0 else inf
    return 0.5 + more if more <= 0.5 else inf  # noqa: PLR2004


def reach(  # noqa: PLR0913 a stage has these many sides
    *,
    base: float,
    share: float,
    rate: float,
    seconds: float,
    false_harm: float = 0.05,
    harm_ratio: float = 1.1,
    safe_ratio: float = 4.0,
    false_safe: float = 0.1,
) -> Reach:
    """Return what a stage can show.

    Args:
        base: rate of bad events with the flag off, 0 to below 1.
        share: of people with the flag, 0 to 1.
        rate: requests each second, both sides.
        seconds: the stage's length.
        false_harm: chance of a rollback without harm.
        harm_ratio: ratio that is still harmless.
        safe_ratio: ratio to be excluded.
        false_safe: chance that a stage is called safe when it is not.
    """
    requests = rate * seconds
    if not (0 < base < 1 and 0 < share < 1 and rate > 0):
        return Reach(share=share, detectable=inf, safe_after=inf, requests=requests)
    told = information(base, 1.0, share, safe_ratio)
    return Reach(
        share=share,
        detectable=detectable(base, share, requests, false_harm, harm_ratio),
        safe_after=SLACK * log(1.0 / false_safe) / told / rate if told else inf,
        requests=requests,
    )


def advice(stage: Reach, max_time: float, most_ratio: float = 2.0) -> tuple[str, ...]:
    """Return warnings about a stage that cannot show what it is there for.

    Args:
        stage: what it can show.
        max_time: seconds after which it is inconclusive.
        most_ratio: harm that must not get through unseen.
    """
    where = f"the stage at {stage.share:.3g}"
    found = []
    if stage.detectable > most_ratio:
        seen = "no harm" if stage.detectable == inf else f"harm from {stage.detectable:.2g}x on"
        found.append(
            f"{where} sees {seen} in {stage.requests:,.0f} requests, not {most_ratio:g}x: "
            "make it longer, or begin with more people"
        )
    if stage.safe_after > max_time:
        needs = "for ever" if stage.safe_after == inf else f"{stage.safe_after / 60:,.0f} min"
        found.append(
            f"{where} needs {needs} to show that it is safe, but may last {max_time / 60:,.0f} "
            "min: it will wait for a person"
        )
    return tuple(found)
