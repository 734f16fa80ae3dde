"""How is a value taken out of JSON so that an error names the place?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from flagstaff.errors import SnapshotError, UsageError
from flagstaff.flags.percentage import parse_percentage


def malformed(place: str, wanted: str, found: object) -> SnapshotError:
    """Return the error for one value that is not what it should be."""
    shown = repr(found)
    if len(shown) > 60:  # noqa: PLR2004 - a log line, not a dump
        shown = shown[:57] + "..."
    return SnapshotError(
        f"{place}: {shown} is not {wanted}",
        hint="the last good snapshot stays in force; compare the server's version with the SDK's",
    )


def read_object(data: object, place: str) -> Mapping[str, object]:
    """Return `data` if it is a JSON object.

    Raises:
        SnapshotError: it is not.
    """
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise malformed(place, "an object", data)
    return cast("Mapping[str, object]", data)


def read_boolean(data: object, place: str) -> bool:
    """Return `data` if it is true or false; 0, 1 and texts are not.

    Raises:
        SnapshotError: it is not.
    """
    if not isinstance(data, bool):
        raise malformed(place, "true or false", data)
    return data


def read_whole(data: object, place: str) -> int:
    """Return `data` if it is a whole number of 0 or more.

    Raises:
        SnapshotError: it is not.
    """
    if not isinstance(data, int) or isinstance(data, bool) or data < 0:
        raise malformed(place, "a whole number of 0 or more", data)
    return data


def read_text(data: object, place: str) -> str:
    """Return `data` if it is a non-empty text.

    Raises:
        SnapshotError: it is not.
    """
    if not isinstance(data, str) or not data:
        raise malformed(place, "a non-empty text", data)
    return data


def read_texts(data: object, place: str) -> frozenset[str]:
    """Return `data` as a set if it is a list of non-empty texts.

    Raises:
        SnapshotError: it is not.
    """
    if not isinstance(data, list) or not all(isinstance(each, str) and each for each in data):
        raise malformed(place, "a list of non-empty texts", data)
    return frozenset(data)


def read_percentage(data: object, place: str) -> Decimal:
    """Return the percentage that the text `data` spells.

    Raises:
        SnapshotError: it is no text, or no percentage.
    """
    if not isinstance(data, str):
        raise malformed(place, "a percentage written as text", data)
    try:
        return parse_percentage(data)
    except UsageError as exc:
        raise SnapshotError(f"{place}: {exc.message}", hint=exc.hint) from exc
