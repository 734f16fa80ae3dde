"""How many calls took longer than a bound, as the buckets of a histogram tell it?

Buckets are counters: calls up to an edge, and all of them. They come from one answer, so both are
of the same scrape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flagstaff.errors import Unavailable

EDGE, ALL = "le", float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """All calls of one histogram and those above a bound, with its labels but for the edge."""

    labels: Mapping[str, str]
    total: float
    slow: float


@dataclass(slots=True)
class _Buckets:
    labels: dict[str, str]
    up_to: dict[float, float] = field(default_factory=dict)


def with_edges(selector: str, bound: float) -> str:
    """Return the selector of two buckets alone: up to the bound, and all.

    >>> with_edges('seconds_bucket{flag="a"}', 0.5)
    'seconds_bucket{flag="a",le=~"0[.]50*|[+]Inf"}'
    """
    name, _, labels = selector.partition("{")
    labels = labels.removesuffix("}").strip().removesuffix(",")
    edge = f"{bound:.6f}".rstrip("0")
    whole, _, part = edge.partition(".")
    digits = f"{whole}[.]{part}0*" if part else f"{whole}([.]0*)?"
    wanted = f'{EDGE}=~"{digits}|[+]Inf"'
    return f"{name}{{{labels}{',' if labels else ''}{wanted}}}"


def slow_calls(
    what: str, series: Iterable[tuple[Mapping[str, str], float]], bound: float
) -> list[Slow]:
    """Return what each histogram says.

    Args:
        what: who answered, for messages.
        series: the labels and the value of each bucket.
        bound: seconds; it has to be the edge of a bucket in each.

    Raises:
        Unavailable: a histogram has no such edge, or fewer calls in all than up to it.
    """
    found: dict[tuple[tuple[str, str], ...], _Buckets] = {}
    for labels, value in series:
        rest = {key: each for key, each in labels.items() if key != EDGE}
        one = found.setdefault(tuple(sorted(rest.items())), _Buckets(rest))
        one.up_to[_edge(what, labels)] = value
    return [_slow(what, each, bound) for each in found.values()]


def _edge(what: str, labels: Mapping[str, str]) -> float:
    try:
        return float(labels[EDGE])
    except (KeyError, ValueError) as exc:
        raise Unavailable(
            f"{what} answers with something that is no bucket",
            hint=f"name a histogram: its series have the label {EDGE}",
        ) from exc


def _slow(what: str, one: _Buckets, bound: float) -> Slow:
    if bound not in one.up_to or ALL not in one.up_to:
        raise Unavailable(
            f"{what} knows a histogram without a bucket up to {bound:g} s",
            hint="let `slower_than` name edges of its buckets, on all instances alike",
        )
    total, quick = one.up_to[ALL], one.up_to[bound]
    if not total >= quick:
        raise Unavailable(
            f"{what} has {quick:g} calls up to {bound:g} s and {total:g} in all: a part is missing"
        )
    return Slow(labels=one.labels, total=total, slow=total - quick)
