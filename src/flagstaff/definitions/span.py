"""How long is "6 months", and which day is it after?"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flagstaff.definitions.duration import format_duration, parse_duration
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError

_MONTHS: Final = re.compile(r"([0-9]{1,3}) ?(?:mo|months?)")
_MOST_MONTHS: Final = 120
_YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time in months of the calendar or in seconds; with neither, it has no end."""

    months: int = 0
    length: timedelta = timedelta(0)

    def after(self, start: datetime) -> datetime | None:
        """Return when it is over, `None` for never.

        A month later is the same day of the month, or its last.

        >>> from datetime import UTC
        >>> Span(months=1).after(datetime(2026, 1, 31, tzinfo=UTC)).date().isoformat()
        '2026-02-28'
        """
        if not self.months and not self.length:
            return None
        years, month = divmod(start.month - 1 + self.months, _YEAR)
        year = start.year + years
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        return start.replace(year=year, month=month + 1, day=day) + self.length

    def __str__(self) -> str:
        """Return it as `parse_span` reads it."""
        if self.months:
            return "1 month" if self.months == 1 else f"{self.months} months"
        return format_duration(self.length) if self.length else "none"


FOREVER: Final = Span()


def parse_span(text: str) -> Span:
    """Return the length that `text` names: `6 months`, `30d`, or `none` for no end.

    Raises:
        UsageError: it is none of these, no time at all, or longer than ten years.
    """
    words = text.strip().lower()
    if words == "none":
        return FOREVER
    if found := _MONTHS.fullmatch(words):
        span = Span(months=int(found[1]))
        if span.months > _MOST_MONTHS:
            raise UsageError(f"{quote(text)} is longer than ten years", hint="write `none`")
    else:
        span = Span(length=parse_duration(text))
    if span == FOREVER:
        raise UsageError(f"{quote(text)} is no time at all", hint="write `none` for no end")
    return span
