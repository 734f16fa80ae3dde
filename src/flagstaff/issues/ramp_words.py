"""What do the words beside a command say about its percentages, and how long each is held?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from flagstaff.definitions.duration import format_duration
from flagstaff.issues.recognise import wait_between_rungs
from flagstaff.issues.shares import shares_in, without_commands
from flagstaff.issues.wording import LENGTH, duration_in, plain

SHARES_UNREAD = (
    "the percentages in the text are not understood, and those of `ramp:` are taken: write them "
    "like `10%, 50%, 100%`"
)
LENGTH_UNREAD = (
    "the length of time in the text is not understood, and `ramp: dwell` is taken: write it like "
    "`30 minutes each`"
)
_SHARE = r"([0-9]{1,3}(?:\.[0-9]{1,3})?)[ \u00a0]?(?:%|percent\b)"
_ANY_SHARE = re.compile(
    rf"{_SHARE}|\b[0-9.]+(?:\s*[,/]\s*|\s+(?:then|and|to)\s+)[0-9.]+\b", re.IGNORECASE
)
_HELD = re.compile(
    rf"{_SHARE}(?:[ \u00a0]*(?:for|\(|,? ?(?:hold|wait|keep)(?: it)?(?: for)?)[ \u00a0]*"
    rf"(?:for )?(?:at least |about )?({LENGTH.pattern}))?",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"\b(?:for|wait|hold|pause|leave|bak(?:e|ing)|soak(?:ing)?|sit|rest|keep|let|watch|observe"
    r"|monitor)\b"
)
_EACH = re.compile(r"\b(?:each|apart|every|between|per (?:step|stage|percentage))\b")
_OF_PEOPLE = re.compile(
    r"\b(?:around|available|present|on[ -]call|within|notice|advance|before|earlier|ago|timeout"
    r"|desk|last|past|previous)\b"
)
_SEVERAL = 2

Share = tuple[Decimal, timedelta | None]
"""A percentage, and how long it is held where the text says so for this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RampWords:
    """What was read; `unread` says what was not.

    `length` is the time at each percentage of a ramp, `own` what the item says of its one change;
    `least` says that a longer time is fine.
    """

    shares: tuple[Share, ...]
    length: timedelta | None
    own: timedelta | None
    least: bool
    unread: tuple[str, ...]

    def hint(self, *, ramp: bool, dwell: timedelta) -> str:
        """Return what somebody should know about words that count for less than they say."""
        said = [each for each in self.unread if ramp or each != SHARES_UNREAD]
        length = self.length if ramp else self.own
        lengths = [None if self.least else length, *(length for _, length in self.shares)]
        shorter = next((each for each in lengths if each is not None and each < dwell), None)
        if shorter is not None:
            said.append(
                f"the text says {format_duration(shorter)}; the longer {format_duration(dwell)} of "
                "`ramp: dwell`, or of a wait between the steps, is taken"
            )
        return "; ".join(said)


def ramp_words(own: str, around: Sequence[str]) -> RampWords:
    """Return what the texts say.

    Args:
        own: The text of the command's own item.
        around: The texts above it and before it in its section, the nearest first: what they say
            of time counts only where it is for each step.
    """
    for text in (own, *around):
        if held := _each_held(text):
            return RampWords(shares=held, length=None, own=None, least=False, unread=())
    shares = shares_in((own, *around))
    listing = next((text for text in around if shares and shares_in((text,)) == shares), "")
    here = _length(own, _HOLDS, _EACH)
    length, said = here, own
    for text in around:
        if length is None:
            length, said = _length(text, _EACH, *((_HOLDS,) if text == listing else ())), text
    unread = []
    words = _words(own)
    if not shares and _ANY_SHARE.search(words):
        unread.append(SHARES_UNREAD)
    unknown = here is None and LENGTH.search(words)
    if unknown or (length is None and LENGTH.search(_words(listing))):
        unread.append(LENGTH_UNREAD)
    return RampWords(
        shares=tuple((share, None) for share in shares),
        length=length,
        own=None if _is_least(own) else here,
        least=_is_least(said),
        unread=tuple(unread),
    )


def _words(text: str) -> str:
    return plain(without_commands(text)).lower()


def _is_least(text: str) -> bool:
    """Return whether the text demands a wait between steps, which others may be longer than."""
    return wait_between_rungs(_words(text)) is not None


def _length(text: str, *cues: re.Pattern[str]) -> timedelta | None:
    """Return the only length of time in the text, where it is one to hold."""
    words = _words(text)
    if (between := wait_between_rungs(words)) is not None:
        return between
    if len(LENGTH.findall(words)) != 1 or _OF_PEOPLE.search(words):
        return None
    return duration_in(words) if any(cue.search(words) for cue in cues) else None


def _each_held(text: str) -> tuple[Share, ...]:
    """Return percentages that have lengths of their own, such as "10% for 1 h, 50% for 1 d"."""
    words = plain(without_commands(text))
    found = [
        (Decimal(each[1]), duration_in(each[2]) if each[2] else None)
        for each in _HELD.finditer(words)
    ]
    lengths = [at for at, (_, length) in enumerate(found) if length is not None]
    if len(found) < _SEVERAL or not lengths or len(lengths) < len(LENGTH.findall(words)):
        return ()
    if lengths == [len(found) - 1] or _EACH.search(words.lower()):
        return ()
    rising = all(low[0] < high[0] for low, high in pairwise(found))
    return tuple(found) if rising and found[0][0] > 0 and found[-1][0] <= 100 else ()  # noqa: PLR2004 per cent
