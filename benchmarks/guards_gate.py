"""What does a gate of the guards' benchmark say, and how sure is it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

SURE = 1.645
"""One-sided 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell: what was measured, and the most it may be."""

    gate: str
    cell: str
    value: float
    limit: float
    unit: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        """Return whether the value keeps to its limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        """Return one line of the report."""
        mark = "ok  " if self.holds else "FAIL"
        note = f"  ({self.note})" if self.note else ""
        kept = f"{self.value:9.4g} <= {self.limit:g} {self.unit}"
        return f"{self.gate:4} {mark} {self.cell:58} {kept}{note}"


MANY = 2000
"""Runs from which a share is told from its limit; with fewer, only what is surely above fails."""


def limits(hits: int, runs: int) -> tuple[float, float]:
    """Return the one-sided 95 % limits of a share, in percent (Wilson 1927)."""
    share, z2 = hits / runs, SURE**2
    middle = share + z2 / (2 * runs)
    wide = SURE * sqrt(share * (1 - share) / runs + z2 / (4 * runs**2))
    return 100 * (middle - wide) / (1 + z2 / runs), 100 * (middle + wide) / (1 + z2 / runs)


def false_alarms(gate: str, cell: str, hits: int, runs: int, most: float) -> Row:
    """Return a row that holds when the share of false alarms is below `most` beyond doubt."""
    low, high = limits(hits, runs)
    value = high if runs >= MANY else low
    note = f"{100 * hits / runs:.2f} % of {runs}"
    return Row(gate=gate, cell=cell, value=value, limit=100 * most, unit="%", note=note)


def failures(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that do not hold."""
    return [row for row in rows if not row.holds]
