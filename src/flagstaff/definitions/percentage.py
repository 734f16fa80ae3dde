"""Which share of the traffic does a ramp stop at?"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ALL: Final = 100
_DECIMALS: Final = 3


def parse_percentage(text: str) -> Decimal:
    """Return the percentage, above 0 and below 100, with at most three decimals.

    Raises:
        UsageError: The text is anything else; the message says which rule it breaks.
    """
    shown = quote(text)
    if text.endswith("%"):
        raise UsageError(f"{shown} has a percent sign", hint="write the number alone, such as 25")
    if text.startswith("-"):
        raise UsageError(f"{shown} is below 0", hint="write a number above 0 and below 100")
    if "," in text:
        raise UsageError(f"{shown} has a comma", hint="write decimals after a point, such as 0.5")
    if re.fullmatch(r"[0-9.]+[eE][+-]?[0-9]+", text):
        raise UsageError(f"{shown} has an exponent", hint="write the number out in digits")
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{shown} is not a number", hint="write a number in digits, such as 25")
    number = Decimal(text)
    if number > _ALL:
        raise UsageError(f"{shown} is above 100", hint="write a number above 0 and below 100")
    if number == _ALL:
        raise UsageError(
            f"{shown} is everybody", hint="leave it out, as the ramp ends with the flag fully on"
        )
    if len(text.partition(".")[2]) > _DECIMALS:
        raise UsageError(f"{shown} has more than three decimals", hint="0.001 is the smallest step")
    if not number:
        raise UsageError(
            f"{shown} is nobody", hint="leave it out, as the flag is off before the ramp"
        )
    return number
