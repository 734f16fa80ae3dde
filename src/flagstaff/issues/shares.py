"""Which percentages does the text of an issue list for a ramp?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from flagstaff.issues.wording import LENGTH, plain
from flagstaff.issues.written import COMMAND

_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,3})?"
_SIGN = r"[ \u00a0]?(?:%|percent\b)"
_NEXT = r"\s*(?:,|/|;|&|\u2192|[-=]?>|\bthen\b|\band\b|\bto\b)"
_LIST = re.compile(
    rf"(?<![\w.#!/-]){_NUMBER}(?:{_SIGN})?(?:(?:{_NEXT})+\s*(?:at )?{_NUMBER}(?:{_SIGN})?)+"
    r"(?![\w.]*[\w])",
    re.IGNORECASE,
)
_CODE = re.compile(
    rf"`[^`]*(?:/chatops|{COMMAND})[^`]*`|/(?:chatops|flagstaff)\b[^\n]*|^[ \t]*{COMMAND}[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    r"\b(?:ramp(?:[ -]?up)?|percentages?|increments?)(?: (?:to|in|by|of|at|from))?\s*:?\s*$",
    re.IGNORECASE,
)
_ALL = 100


def shares_in(texts: Iterable[str]) -> tuple[Decimal, ...]:
    """Return the first list of rising percentages in the texts, such as "10 %, 50 % and 100 %".

    Numbers in commands do not count, and neither do lists without a sign of percent, unless "ramp"
    or "percentages" stands right before them.

    >>> shares_in(["go to 1 / 10 / 50 %"])
    (Decimal('1'), Decimal('10'), Decimal('50'))
    """
    for text in texts:
        words = LENGTH.sub(" ", plain(without_commands(text)))
        for found in _LIST.finditer(words):
            named = _NAMED.search(words[: found.start()])
            if not named and not re.search(_SIGN, found[0], re.IGNORECASE):
                continue
            numbers = tuple(Decimal(number) for number in re.findall(_NUMBER, found[0]))
            rising = all(low < high for low, high in pairwise(numbers))
            if rising and numbers[0] > 0 and numbers[-1] <= _ALL:
                return numbers
    return ()


def without_commands(text: str) -> str:
    """Return the words of the text that stand in no command."""
    return _CODE.sub(" ", text)
