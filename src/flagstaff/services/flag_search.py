"""What may flags be searched for?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from flagstaff.errors import UsageError

NOBODY: Final = "nobody"
"""The owner of flags for which none is named."""

NEVER: Final = "never"
_DAYS: Final = re.compile(r"(under|over)-(\d{1,5})d", re.ASCII)


class Stands(StrEnum):
    """How a flag may stand in an environment."""

    SET = "set"
    UNSET = "unset"
    ON = "on"
    OFF = "off"
    CONDITIONAL = "conditional"


EVERYWHERE: Final = (Stands.UNSET, Stands.OFF)
"""What has to be so in every environment where none is named; all else in any of them."""


class Sort(StrEnum):
    """What flags may be sorted by; with a minus before it, the other way round."""

    NAME = "name"
    TYPE = "type"
    OWNER = "owner"
    AGE = "age"
    SEEN = "seen"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSearch:
    """What flags are searched for; what is empty does not matter.

    Attributes:
        match: stands in the name.
        owner: with or without `group::` before it; `nobody` for flags without one.
        age: `over-90d` or `under-7d`, in days since the flag was introduced.
        seen: the same, since an application last asked for it; or `never`.
        state: one of `Stands`, in the `environment`.
        environment: where it has to be so.
        sort: one of `Sort`: names from A on, the oldest, what was asked for or changed longest ago.
    """

    match: str = ""
    type: str = ""
    owner: str = ""
    age: str = ""
    seen: str = ""
    state: str = ""
    environment: str = ""
    sort: str = Sort.NAME


def days(what: str, text: str) -> Callable[[timedelta], bool]:
    """Return what says whether so much time is as much as a search asks for.

    Raises:
        UsageError: the search cannot be read.
    """
    read = _DAYS.fullmatch(text)
    if read is None:
        raise UsageError(
            f"{text[:60]!r} is no {what} of a flag", hint="over-90d would be one, or under-7d"
        )
    over, length = read[1] == "over", timedelta(days=int(read[2]))
    return lambda passed: (passed >= length) is over


def check(what: str, word: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is not known.

    Raises:
        UsageError: naming those that are.
    """
    if word not in known:
        raise UsageError(f"there is no {what} {word[:60]!r}", hint=f"there are: {', '.join(known)}")
