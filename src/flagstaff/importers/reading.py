"""How is a value taken out of an export so that an error names the place?"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from flagstaff.errors import UsageError

_SHOWN = 60
_HINT = "export it again, or mend the file; nothing was changed"


class At:
    """A value of a JSON document with its place, such as `$.features[3].name`."""

    __slots__ = ("place", "value")

    def __init__(self, value: Any, place: str = "$") -> None:
        self.value = value
        self.place = place

    def wrong(self, wanted: str) -> UsageError:
        """Return the error that this value is not what is wanted."""
        shown = repr(self.value)
        if len(shown) > _SHOWN:
            shown = shown[: _SHOWN - 1] + "…"
        return UsageError(f"{self.place}: {shown} is not {wanted}", hint=_HINT)

    def has(self, key: str) -> bool:
        """Return whether this is an object with something under the key; null is nothing."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str) -> At:
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        place = f"{self.place}.{key}" if _plain(key) else f"{self.place}[{json.dumps(key)}]"
        return At(self.value.get(key), place)

    def items(self) -> Iterator[tuple[str, At]]:
        """Return what an object holds; nothing if it is not there."""
        if self.value is None:
            return
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        for key in self.value:
            yield key, self[key]

    def each(self) -> Iterator[At]:
        """Return what a list holds; nothing if it is not there."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, value in enumerate(self.value):
            yield At(value, f"{self.place}[{number}]")

    def text(self, default: str | None = None) -> str:
        """Return a text."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        try:
            self.value.encode()
        except UnicodeEncodeError as exc:
            raise self.wrong("a text of whole characters") from exc
        return self.value

    def name(self) -> str:
        """Return a text that is not empty."""
        if not self.text():
            raise self.wrong("a name")
        return self.text()

    def truth(self, *, default: bool | None = None) -> bool:
        """Return true or false."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self, default: float | None = None) -> float:
        """Return a number, which may be written as a text."""
        if self.value is None and default is not None:
            return default
        value = self.value
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError as exc:
                raise self.wrong("a number") from exc
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong("a number")
        if not math.isfinite(value) or abs(value) > 1e15:  # noqa: PLR2004 - beyond it floats skip
            raise self.wrong("a number")
        return value

    def whole(self, default: int | None = None) -> int:
        """Return a whole number."""
        found = self.number(default)
        if found != int(found):
            raise self.wrong("a whole number")
        return int(found)

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(each.text() for each in self.each())


def parse_json(data: bytes, *, source: str) -> At:
    """Return the document.

    Raises:
        UsageError: it is no JSON; the line is named.
    """
    try:
        text = data.decode("utf-8-sig")
        return At(json.loads(text, parse_constant=_no_number))
    except UnicodeDecodeError as exc:
        raise UsageError(
            f"{source}: byte {exc.start + 1} is not UTF-8", hint="save the export as UTF-8"
        ) from exc
    except json.JSONDecodeError as exc:
        raise UsageError(f"{source}:{exc.lineno}: not JSON: {exc.msg.lower()}", hint=_HINT) from exc
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{source}: not JSON that can be read: {exc}", hint=_HINT) from exc


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _plain(key: str) -> bool:
    return key.isascii() and key.replace("-", "_").isidentifier()
