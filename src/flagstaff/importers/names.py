"""Which name can a flag of another system have here?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from flagstaff.definitions import is_flag_name

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")
LONGEST = 200
"""Signs; the name of a file has to hold it."""


def our_name(theirs: str) -> str:
    """Return the name in our spelling, an empty text if nothing of it is left.

    >>> our_name("newNavigation.v2")
    'new_navigation_v2'
    """
    if is_flag_name(theirs) and len(theirs) <= LONGEST:
        return theirs
    name = _OTHER.sub("_", _HUMP.sub("_", theirs).lower()).strip("_")
    return name if is_flag_name(name) and len(name) <= LONGEST else ""


def our_names(theirs: Iterable[str]) -> dict[str, str]:
    """Return our name for each of theirs; empty where it is taken by one before, or none is left.

    A flag whose name stays as it is comes before those that are renamed.
    """
    listed = list(dict.fromkeys(theirs))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(listed, key=lambda each: our_name(each) != each):
        ours = our_name(name)
        found[name] = "" if ours in taken else ours
        taken.add(ours)
    return found
