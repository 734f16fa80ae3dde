"""What does a guard say, in plain words, of those with the flag on and those with it off?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from math import log

from flagstaff.rollouts.guard import Arm, Guard
from flagstaff.services.guard_views import GuardView
from flagstaff.services.views import RolloutView

ALIKE = 0.00005
"""Rates that are no further apart are shown as the same, to a hundredth of a percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One guard as a person reads it.

    Attributes:
        guard: its numbers.
        on: what the side with the flag on is called, such as `New names`.
        off: what the other is called.
        counts: what is counted, such as `jobs`.
        badly: what is said of bad ones, such as `failed`.
        difference: how much more fails with the flag on, in words; empty while that is unknown.
        saying: the state of affairs in one sentence.
        by_name: whether names of jobs tell the sides apart.
    """

    guard: GuardView
    on: str
    off: str
    counts: str
    badly: str
    difference: str
    saying: str
    by_name: bool

    @property
    def names(self) -> list[tuple[str, str]]:
        """Return the names of the jobs of both sides, old and new."""
        if not self.by_name:
            return []
        pairs = zip_longest(self.guard.control_names, self.guard.treatment_names, fillvalue="")
        return list(pairs)


def tiles(view: RolloutView) -> list[Tile]:
    """Return a tile for each guard of a rollout."""
    guards = {each.name: each for each in view.plan.guards}
    return [_tile(each, guards[each.name]) for each in view.guards]


def evidence_share(evidence: float, limit: float) -> float:
    """Return how far evidence has come towards its limit, from 0 to 1, as orders of magnitude."""
    if evidence <= 1 or limit <= 1:
        return 0.0
    return round(min(1.0, log(evidence) / log(limit)), 3)


def _tile(view: GuardView, guard: Guard) -> Tile:
    by_name = guard.query is None
    return Tile(
        guard=view,
        on="New names" if by_name else "Flag on",
        off="Old names" if by_name else "Flag off",
        counts=guard.counts,
        badly=guard.went_badly,
        difference=_in_pairs(view) if guard.ranked else _difference(view.treatment, view.control),
        saying=_saying(view, guard),
        by_name=by_name,
    )


def _difference(on: Arm, off: Arm) -> str:
    if not (on.total and off.total):
        return ""
    between = on.rate - off.rate
    if abs(between) < ALIKE:
        return "no difference"
    sign = "+" if between > 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(between) * 100:.2f} points"


def _in_pairs(view: GuardView) -> str:
    return "" if view.longer is None else f"longer in {100 * view.longer:.0f} % of pairs"


def _saying(view: GuardView, guard: Guard) -> str:
    on, off, counts = view.treatment, view.control, guard.counts
    if view.verdict is None:
        return f"Watching begins when the flag is first on in production; then {counts} count here."
    if not on.total:
        return f"No {counts} {guard.with_on} yet."
    if guard.ranked and view.longer is not None:
        return (
            f"Of two {counts}, one from each side, that {guard.with_on} took longer in "
            f"{100 * view.longer:.0f} % of cases."
        )
    if guard.ranked:
        return f"{on.total:,} {counts} {guard.with_on}, and too few to compare yet."
    said = f"{on.failed:,} of {on.total:,} {counts} {guard.went_badly} {guard.with_on}"
    if not off.total:
        return f"{said}; none ran {guard.with_off} at the same time to compare with."
    return f"{said}, {off.failed:,} of {off.total:,} {guard.with_off}."
