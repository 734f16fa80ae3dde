"""How is a percentage written, read and checked?"""

from __future__ import annotations

import re
from decimal import Decimal

from flagstaff.errors import UsageError

DECIMALS = 3
"""Buckets are thousandths of a percent, so a fourth decimal could not change any answer."""

HUNDRED = Decimal(100)
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_EXPONENT = re.compile(r"[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+")
_COMMA = re.compile(r"[0-9]+,[0-9]+")
_HINT = "write a number from 0 to 100 with at most three decimals, such as 25 or 0.5"


def parse_percentage(text: str) -> Decimal:
    """Return the percentage that `text` spells.

    >>> parse_percentage("0.5")
    Decimal('0.5')

    Args:
        text: plain decimal notation, 0 to 100, at most three decimals.

    Raises:
        UsageError: anything else; the message names what is wrong and the hint what to write.
    """
    if not _PLAIN.fullmatch(text):
        raise _misspelt(text)
    _, _, decimals = text.partition(".")
    if len(decimals) > DECIMALS:
        raise UsageError(
            f"{text} has {len(decimals)} decimals",
            hint="actors are told apart by thousandths of a percent: use at most three decimals",
        )
    value = Decimal(text)
    if value > HUNDRED:
        raise UsageError(f"{text} is above 100", hint=_HINT)
    return value


def check_percentage(value: Decimal) -> Decimal:
    """Return `value` if it is a percentage from 0 to 100 with at most three decimals.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(value, Decimal):
        raise UsageError(f"{value!r} is not a Decimal", hint="use parse_percentage(text)")
    if not value.is_finite() or not 0 <= value <= HUNDRED:
        raise UsageError(f"{value} is not between 0 and 100", hint=_HINT)
    if value != round(value, DECIMALS):
        raise UsageError(f"{value} has more than three decimals", hint=_HINT)
    return value


def format_percentage(value: Decimal) -> str:
    """Return the shortest plain notation of `value`.

    >>> format_percentage(Decimal("25.000"))
    '25'
    """
    return format(value.normalize() + 0, "f")


def _misspelt(text: str) -> UsageError:
    bare = text.strip()
    what, hint = f"{text!r} is not a number", _HINT
    if not bare:
        what = "the percentage is empty"
    elif any(sign.isdigit() and not sign.isascii() for sign in bare):
        what = f"{text!r} uses digits other than 0-9"
    elif bare.endswith("%"):
        what, hint = f"{text!r} has a percent sign", f"leave it out: {bare.rstrip('% ') or 25}"
    elif bare.startswith("-"):
        what = f"{text!r} is negative"
    elif _EXPONENT.fullmatch(bare):
        what = f"{text!r} is in exponent notation"
    elif _COMMA.fullmatch(bare):
        what, hint = f"{text!r} has a decimal comma", f"write a point: {bare.replace(',', '.')}"
    return UsageError(what, hint=hint)
