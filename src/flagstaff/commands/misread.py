"""What is wrong with data that cannot become a command or a plan, and what should it say?"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_args

from cattrs.errors import BaseValidationError, ClassValidationError, ForbiddenExtraKeysError

_LISTED = 12
ALL_KINDS = "/api/v1/openapi.json describes all of them"


class Misread(ValueError):
    """One thing is wrong, and `hint` says what to write instead."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Wrong(NamedTuple):
    """One thing that is wrong, in words."""

    what: str
    hint: str


def by_kind(
    union: object, structure: Callable[[Any, Any], object]
) -> Callable[[object, object], object]:
    """Return what reads a member of a union by its kind, and teaches when there is no such kind."""
    kinds = [each.__name__ for each in get_args(union)]

    def read(value: object, wanted: object) -> object:
        if not isinstance(value, dict):
            raise Misread(
                f"expected a JSON object, not {repr(value)[:60]}", hint=_choice("kind", "", kinds)
            )
        if "kind" not in value:
            raise Misread("`kind` is missing", hint=_choice("kind", "", kinds))
        kind = value["kind"]
        if not isinstance(kind, str) or kind not in kinds:
            raise Misread(
                f"there is no kind {repr(kind)[:60]}", hint=_choice("kind", str(kind), kinds)
            )
        return structure(value, wanted)

    return read


def wrong_in(exc: BaseException, kind: object) -> Wrong:
    """Return all that is wrong, each with its place, and the first remedy there is."""
    found = list(_each(exc, kind, ""))
    hints = (each.hint for each in found if each.hint)
    return Wrong("; ".join(each.what for each in found), next(hints, ""))


def _each(exc: BaseException, kind: object, place: str) -> Iterator[Wrong]:
    if isinstance(exc, ForbiddenExtraKeysError):
        names = _fields(exc.cl)
        for extra in sorted(map(str, exc.extra_fields)):
            yield Wrong(
                f"{place}{exc.cl.__name__} has no field `{extra[:60]}`",
                _choice("field", extra, names),
            )
    elif isinstance(exc, ClassValidationError):
        placed, others = exc.group_exceptions()
        for inner, note in placed:
            below = exc.cl if isinstance(inner, KeyError) else note.type
            yield from _each(inner, below, f"{place}{note.name}: ")
        for inner in others:
            yield from _each(inner, exc.cl, place)
    elif isinstance(exc, BaseValidationError):
        for inner in exc.exceptions:
            yield from _each(inner, kind, place)
    elif isinstance(exc, KeyError):
        yield Wrong(f"{place}it is missing", _choice("field", "", _fields(kind)))
    else:
        yield Wrong(f"{place}{exc}", getattr(exc, "hint", ""))


def _fields(kind: object) -> list[str]:
    return [each.name for each in fields(kind)] if is_dataclass(kind) else []


def _choice(what: str, word: str, names: Iterable[str]) -> str:
    by_spelling = {each.lower(): each for each in names}
    near = difflib.get_close_matches(word.lower(), by_spelling, n=1, cutoff=0.7)
    if near:
        return f"did you mean `{by_spelling[near[0]]}`?"
    if not by_spelling or len(by_spelling) > _LISTED:
        return ALL_KINDS
    return f"a {what} is one of {', '.join(by_spelling.values())}"
