"""How are a flag's gates, and what a change took away, said in words?"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from flagstaff.flags.gates import Gates, State
from flagstaff.flags.percentage import HUNDRED, format_percentage

SHOWN = 3
"""How many actors or groups are named before the rest is counted."""


def describe(gates: Gates | None, *, default: bool) -> str:
    """Return who gets a flag, in words.

    >>> describe(None, default=False)
    'not set: default off'

    Args:
        gates: the gates of a persisted flag, or None for one that was never written.
        default: what the definition says for a flag that was never written.
    """
    if gates is None:
        return f"not set: default {'on' if default else 'off'}"
    if gates.state is State.OFF:
        return "off for everyone (explicitly)"
    opened = _opened(gates)
    if not opened:
        return f"off for everyone; opted out: {listed(gates.opted_out)}"
    return f"{opened}, except {listed(gates.opted_out)}" if gates.opted_out else opened


def removed_gates(before: Gates | None, after: Gates | None) -> tuple[str, ...]:
    """Return, in words, what was open `before` and is closed `after`; empty if nothing was lost.

    >>> removed_gates(Gates(actors=frozenset({"User:1"})), Gates(boolean=True))
    ('1 actor',)
    """
    old, new = before or Gates(), after or Gates()
    removed: list[str] = []
    if old.boolean and not new.boolean:
        removed.append("on for everyone")
    if old.expression and old.expression != new.expression:
        removed.append("the expression before" if new.expression else "the expression")
    _count_lost(removed, old.members - new.members, "actor")
    _count_lost(removed, old.opted_out - new.opted_out, "opt-out")
    if old.percentage_of_actors and not new.percentage_of_actors:
        removed.append(f"{percent(old.percentage_of_actors)} of actors")
    if old.percentage_of_time and not new.percentage_of_time:
        removed.append(f"{percent(old.percentage_of_time)} of time")
    _count_lost(removed, old.groups - new.groups, "group")
    return tuple(removed)


def percent(value: Decimal) -> str:
    """Return a percentage as it is read: `25 %`."""
    return f"{format_percentage(value)} %"


def joined(words: Iterable[str]) -> str:
    """Return `a, b and c`."""
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last


def listed(names: Iterable[str]) -> str:
    """Return the first names in order, and how many more there are."""
    ordered = sorted(names)
    if len(ordered) <= SHOWN + 1:
        return joined(ordered)
    return joined([*ordered[:SHOWN], f"{len(ordered) - SHOWN} more"])


def _opened(gates: Gates) -> str:
    if gates.boolean:
        return "on for everyone"
    if gates.percentage_of_time == HUNDRED:
        return "on for everyone (100 % of the time)"
    sentences: list[str] = []
    if for_whom := _for_whom(gates):
        sentences.append(f"on for {joined(for_whom)}")
    if gates.percentage_of_time:
        share = percent(gates.percentage_of_time)
        others = "for others " if for_whom else ""
        sentences.append(f"{others}on {share} of the time (each check draws again)")
    return "; ".join(sentences)


def _for_whom(gates: Gates) -> list[str]:
    parts: list[str] = []
    if gates.expression:
        parts.append("actors that match the expression")
    if gates.percentage_of_actors:
        parts.append(f"{percent(gates.percentage_of_actors)} of actors")
    if gates.members:
        parts.append(listed(gates.members))
    if gates.groups:
        noun = "group" if len(gates.groups) == 1 else "groups"
        parts.append(f"{noun} {listed(gates.groups)}")
    return parts


def _count_lost(removed: list[str], lost: frozenset[str], noun: str) -> None:
    if lost:
        removed.append(f"{len(lost)} {noun}{'' if len(lost) == 1 else 's'}")
