"""What did each change of a flag change, in words, and which of them can be taken back?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flagstaff.flags.describe import describe
from flagstaff.flags.gates import Gates
from flagstaff.services.course import CHANGES
from flagstaff.services.views import AuditView


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One entry of the log; `before` and `after` in words, empty where it changed no gates."""

    entry: AuditView
    before: str = ""
    after: str = ""
    can_be_undone: bool = False


def news(log: Iterable[AuditView]) -> list[AuditView]:
    """Leave out that a step is done where the log already says what it did to a flag."""
    entries = list(log)
    told = {(each.rollout, each.step) for each in entries if each.action.startswith("flag.")}
    return [
        each
        for each in entries
        if each.action != "step.done" or (each.rollout, each.step) not in told
    ]


def history(log: Iterable[AuditView], *, default: bool) -> list[Changed]:
    """Return the entries, newest first; the newest change of each environment can be undone."""
    found: list[Changed] = []
    latest: set[str] = set()
    for entry in log:
        if entry.action not in CHANGES:
            found.append(Changed(entry=entry))
            continue
        found.append(
            Changed(
                entry=entry,
                before=_words(entry.before, default=default),
                after=_words(entry.after, default=default),
                can_be_undone=entry.environment not in latest and entry.before != entry.after,
            )
        )
        latest.add(entry.environment)
    return found


def _words(gates: object, *, default: bool) -> str:
    return describe(None if gates is None else Gates.from_json(gates), default=default)
