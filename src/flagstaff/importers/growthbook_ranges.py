"""Which part of all hashes does a rule of GrowthBook take, and for which of its values?"""

from __future__ import annotations

from flagstaff.importers.reading import At

Range = tuple[float, float]
"""From the first up to, not including, the second; 0 to 1."""

_NEARLY_ONE = (0.99, 1.01)
_PAIR = 2


def is_experiment(rule: At) -> bool:
    """Return whether the rule tries several values."""
    return not rule.has("force") and rule.has("variations")


def ranges_of(rule: At) -> list[Range] | None:
    """Return the part for each value of the rule; None: it is for everybody.

    Raises:
        UsageError: it is malformed.
    """
    if not is_experiment(rule):
        if rule.has("range"):
            return [_range(rule["range"])]
        return [(0, rule["coverage"].number())] if rule.has("coverage") else None
    count = sum(1 for _ in rule["variations"].each())
    if rule.has("ranges"):
        found = [_range(each) for each in rule["ranges"].each()]
        return found[:count]
    coverage = min(max(rule["coverage"].number(1), 0), 1)
    weights = [each.number() for each in rule["weights"].each()]
    if len(weights) != count or not _NEARLY_ONE[0] <= sum(weights) <= _NEARLY_ONE[1]:
        weights = [1 / count] * count if count else []
    found, start = [], 0.0
    for each in weights:
        found.append((start, start + coverage * each))
        start += each
    return found


def seed_of(rule: At, feature: str) -> str:
    """Return what is hashed with the actor."""
    default = rule["key"].text("") if is_experiment(rule) else ""
    return rule["seed"].text("") or default or feature


def version_of(rule: At) -> int:
    """Return which of the two hashes is used."""
    return rule["hashVersion"].whole(1) or 1


def hashed_by(rule: At) -> str:
    """Return the attribute that picks actors."""
    return rule["hashAttribute"].text("id")


def _range(at: At) -> Range:
    found = [each.number() for each in at.each()]
    if len(found) != _PAIR:
        raise at.wrong("two numbers from 0 to 1")
    return found[0], found[1]
