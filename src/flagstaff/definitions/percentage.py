"""Which share of the traffic does a ramp stop at?"""

from __future__ import annotations

from decimal import Decimal

from flagstaff.errors import UsageError
from flagstaff.flags import percentage
from flagstaff.flags.percentage import HUNDRED

MOST_HELD_BACK = Decimal(50)


def parse_percentage(text: str) -> Decimal:
    """Return the percentage, above 0 and below 100, with at most three decimals.

    Raises:
        UsageError: The text is anything else; the message says which rule it breaks.
    """
    try:
        number = percentage.parse_percentage(text)
    except UsageError as exc:
        hint = "write a number above 0 and below 100, such as 25 or 0.5"
        raise UsageError(exc.message, hint=hint) from exc
    if number == HUNDRED:
        raise UsageError(
            f"{text} is everybody", hint="leave it out, as the ramp ends with the flag fully on"
        )
    if not number:
        raise UsageError(
            f"{text} is nobody", hint="leave it out, as the flag is off before the ramp"
        )
    return number


def parse_hold_back(text: str) -> Decimal:
    """Return for how many in 100 a flag stays off at last; above 0 and at most 50.

    Raises:
        UsageError: The text is anything else; the message says which rule it breaks.
    """
    number = parse_percentage(text)
    if number > MOST_HELD_BACK:
        raise UsageError(
            f"{text} is more than half", hint="write for how few the flag stays off, such as 5"
        )
    return number
