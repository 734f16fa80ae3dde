"""Which reminder of a flag is it time for? Pure: when it is due and a moment in, a stage out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One reminder; `stage` is the same text whenever it is worked out, and another for the next.

    `overdue` counts how often it was said before that the flag is due.
    """

    stage: str
    overdue: int | None


def reminder(
    due_at: datetime, now: datetime, *, before: timedelta, every: timedelta
) -> Reminder | None:
    """Return the reminder that should have been sent last, `None` when it is too early for any.

    Whoever was away for weeks gets the newest one alone.

    Args:
        due_at: when the flag has to be gone.
        now: the moment.
        before: how long before it is due somebody hears of it.
        every: how often they hear of it afterwards.
    """
    day = f"{due_at:%Y-%m-%d}"
    if now < due_at - before:
        return None
    if now < due_at:
        return Reminder(stage=f"{day}/soon", overdue=None)
    times = (now - due_at) // every
    return Reminder(stage=f"{day}/due/{times}", overdue=times)
