"""What does `lifecycle:` in `flagstaff.yml` say?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.flag_types import FLAG_TYPES
from flagstaff.definitions.lifecycle import Lifecycle
from flagstaff.definitions.problems import quote
from flagstaff.definitions.span import Span, parse_span
from flagstaff.errors import UsageError

_KEYS: Final = (
    "lifespans",
    "cleanup",
    "milestones",
    "stale_after",
    "references",
    "remind_before",
    "remind_every",
)
_STALE: Final = ("fully_on", "never_on", "no_exposures", "no_rows")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAST: Final = timedelta(days=1)


def read_lifecycle(project: Fields) -> Lifecycle:
    """Return what is set under `lifecycle`, and note what is wrong there."""
    default = Lifecycle()
    fields = project.mapping("lifecycle")
    if fields is None:
        return default
    fields.unknown(_KEYS, fields.problems.error)
    stale = _lengths(fields.mapping("stale_after"))
    references = fields.boolean("references")
    return Lifecycle(
        lifespans=_spans(fields.mapping("lifespans"), default.lifespans),
        cleanup=_spans(fields.mapping("cleanup"), default.cleanup),
        milestones=_days(fields.mapping("milestones")),
        fully_on=stale.get("fully_on", default.fully_on),
        never_on=stale.get("never_on", default.never_on),
        no_exposures=stale.get("no_exposures", default.no_exposures),
        no_rows=stale.get("no_rows", default.no_rows),
        references=default.references if references is None else references,
        remind_before=fields.parsed("remind_before", parse_days) or default.remind_before,
        remind_every=fields.parsed("remind_every", parse_days) or default.remind_every,
    )


def _spans(fields: Fields | None, default: Mapping[str, Span]) -> Mapping[str, Span]:
    if fields is None:
        return default
    fields.unknown(tuple(FLAG_TYPES), fields.problems.error)
    found = {name: fields.parsed(name, parse_span) for name in FLAG_TYPES if fields.has(name)}
    return MappingProxyType(
        {**default, **{name: span for name, span in found.items() if span is not None}}
    )


def _lengths(fields: Fields | None) -> dict[str, timedelta]:
    if fields is None:
        return {}
    fields.unknown(_STALE, fields.problems.error)
    found = {key: fields.parsed(key, parse_days) for key in _STALE}
    return {key: length for key, length in found.items() if length is not None}


def _days(fields: Fields | None) -> Mapping[str, date]:
    if fields is None:
        return MappingProxyType({})
    found = {name: fields.parsed(name, parse_day) for name in fields}
    return MappingProxyType({name: day for name, day in found.items() if day is not None})


def parse_day(text: str) -> date:
    """Return the day that `text` names.

    Raises:
        UsageError: it is none.
    """
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{quote(text)} is no day", hint="write one such as 2026-03-31")


def parse_days(text: str) -> timedelta:
    """Return the length of time that `text` names, of a day at least.

    Raises:
        UsageError: it is none, or shorter.
    """
    length = parse_duration(text)
    if length < _LEAST:
        raise UsageError(f"{quote(text)} is less than a day", hint="write days, such as 30d")
    return length
