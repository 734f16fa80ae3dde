"""How long is "1h30m", and how is a length of time written?"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Final

from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError

_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "min": 60, "s": 1}
_WORDS: Final = {
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
}
_PART: Final = re.compile(r"([0-9]{1,9}) ?([a-z]+)[ ]?")
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+")
_HINT: Final = "write a length such as 15m, 1h30m or 2d"
_LONGEST: Final = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """Return the length of time that `text` names, in whole seconds.

    Units are weeks, days, hours, minutes and seconds, short or spelled out, from the longest to
    the shortest, each at most once: `15m`, `1d`, `1h30m`, `90 minutes`.

    Raises:
        UsageError: The text is no length of time, has no unit, or is longer than ten years.
    """
    words = text.strip().lower()
    if re.fullmatch(r"[0-9]+", words):
        raise UsageError(f"{quote(text)} has no unit", hint="write s, m, h, d or w after it")
    if not _WHOLE.fullmatch(words):
        raise UsageError(f"{quote(text)} is not a length of time", hint=_HINT)
    total, units = 0, []
    for number, word in _PART.findall(words):
        unit = _WORDS.get(word)
        if unit is None:
            raise UsageError(
                f"{quote(text)} has the unknown unit {quote(word)}",
                hint="use s, m, h, d or w",
            )
        units.append(_SECONDS[unit])
        total += int(number) * _SECONDS[unit]
    if any(longer <= shorter for longer, shorter in pairwise(units)):
        raise UsageError(f"{quote(text)} does not go from long units to short ones", hint=_HINT)
    if total > _LONGEST.total_seconds():
        raise UsageError(f"{quote(text)} is longer than ten years", hint=_HINT)
    return timedelta(seconds=total)


def format_duration(length: timedelta) -> str:
    """Return `length` in words that `parse_duration` reads, such as `1 d 2 h` or `0 s`.

    Fractions of a second are dropped; a negative length has a minus sign in front.
    """
    seconds = abs(length) // timedelta(seconds=1)
    if not seconds:
        return "0 s"
    parts = []
    for unit in ("d", "h", "min", "s"):
        number, seconds = divmod(seconds, _SECONDS[unit])
        if number:
            parts.append(f"{number} {unit}")
    return ("-" if length < timedelta(0) else "") + " ".join(parts)
