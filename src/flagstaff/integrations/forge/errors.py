"""What does a forge's "no" mean, and what is to be done about it?"""

from __future__ import annotations

from flagstaff.definitions.forges import Forge
from flagstaff.errors import FlagstaffError, NotFound, Refused, Unavailable

UNAUTHORISED, FORBIDDEN, MISSING, GONE, TOO_MANY = 401, 403, 404, 410, 429
TIMEOUT = 10
"""Seconds; far below the time after which a try counts as lost."""

MOST = 200
"""Characters of a forge's own words that are passed on."""


def said_no(forge: Forge, status: int, words: object, *, seconds: float = 0) -> FlagstaffError:
    """Return what an answer with this status means.

    Args:
        forge: which of them.
        status: HTTP's.
        words: the forge's own.
        seconds: after which it may be asked again, as far as it says so.
    """
    told = " ".join(str(words).split())[:MOST]
    if status == TOO_MANY or status >= 500 or (status == FORBIDDEN and seconds):  # noqa: PLR2004
        return Unavailable(f"{forge.host} says {status}: later")
    if status == UNAUTHORISED:
        return Refused(
            f"{forge.host} does not accept the token of the forge {forge.name}",
            hint=f"make a new one, and put it into {token_place(forge)}",
        )
    if status in {MISSING, GONE}:
        return NotFound(
            f"{forge.host} knows no such issue or project, or does not show it to Flagstaff",
            hint="look at the address, and at what the token may see",
        )
    if status == FORBIDDEN:
        return Refused(
            f"{forge.host} does not let Flagstaff do this: {told}",
            hint="give the token's user the right to edit issues there",
        )
    return Refused(f"{forge.host} says no with {status}: {told}")


def silent(forge: Forge, why: BaseException) -> FlagstaffError:
    """Return what it means that nobody answers."""
    # The whole message may hold an address with secrets, so that only its kind is told.
    return Unavailable(f"{forge.host} does not answer: {type(why).__name__}")


def token_place(forge: Forge) -> str:
    """Return where the token of a forge is kept, for messages."""
    return str(forge.token_file) if forge.token_file else forge.token_env
