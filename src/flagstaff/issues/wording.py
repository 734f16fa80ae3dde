"""What do the words of an issue say about time, channels and markup?"""

from __future__ import annotations

import re
from datetime import timedelta

_NUMBERS = {
    **dict.fromkeys(("a", "an", "one"), 1),
    **{
        word: number
        for number, word in enumerate(
            ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), start=2
        )
    },
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "half an": 0.5,
    "half a": 0.5,
}
_UNITS = {
    "second": timedelta(seconds=1),
    "sec": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "hr": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_SHORT = {"h": "hour", "d": "day"}
LENGTH = re.compile(
    rf"\b(?:(?P<number>[0-9]{{1,4}}(?:\.[0-9])?)[ \u00a0-]?(?P<unit>{'|'.join(_UNITS)}|h|d)"
    rf"|(?P<word>{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
    rf"[ \u00a0-](?P<of>{'|'.join(_UNITS)}))s?\b",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"(?<![\w/&#])#(?:[a-zA-Z][\w-]*|<[\w -]+>)")
_LINK = re.compile(r"!?\[([^\]\[]*)\](?:\([^()]*\)|\[[^\]]*\])")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=\S)(.{1,300}?)(?<=\S)\1(?![\w*])")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!<>~|-])")
_SENTENCE = re.compile(r"(?<=[.!?:])\s")
_TITLE = 100


def duration_in(text: str) -> timedelta | None:
    """Return the first length of time in `text`, such as "at least one day"."""
    found = LENGTH.search(text)
    if found is None:
        return None
    if found["word"]:
        return _NUMBERS[found["word"].lower()] * _UNITS[found["of"].lower()]
    unit = found["unit"].lower()
    return float(found["number"]) * _UNITS[_SHORT.get(unit, unit)]


def channels_in(text: str) -> tuple[str, ...]:
    """Return the chat channels in `text`, each with its `#`; `#123` is an issue and none."""
    return tuple(dict.fromkeys(_CHANNEL.findall(text)))


def plain(text: str) -> str:
    """Return Markdown as it is read: no links, emphasis, escapes or code marks, on one line."""
    words = _LINK.sub(r"\1", text)
    words = _EMPHASIS.sub(r"\2", words)
    return " ".join(_ESCAPE.sub(r"\1", words).replace("`", "").split())


def headline(text: str) -> str:
    """Return the first sentence of `text`, plain and short enough for a list."""
    first = _SENTENCE.split(plain(text), maxsplit=1)[0].rstrip(".: ")
    return first if len(first) <= _TITLE else first[: _TITLE - 1].rstrip() + "\u2026"
