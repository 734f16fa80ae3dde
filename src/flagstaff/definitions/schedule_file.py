"""What does a file with on-call rotations say?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import MappingNode, read_nodes
from flagstaff.definitions.on_call import Override, Rotation, Someone
from flagstaff.definitions.problems import Problems, printable, quote
from flagstaff.definitions.source import read_file
from flagstaff.errors import UsageError

_KEYS: Final = ("people", "start", "length", "handover", "timezone", "overrides")
_PERSON: Final = re.compile(r"([^<>]*[^<>\s])(?:\s+(<@[A-Za-z0-9]+>))?")
_UTC: Final = ZoneInfo("UTC")
T = TypeVar("T")

_SHORTEST: Final = timedelta(minutes=30)


def load_schedule(root: Path, name: str) -> Mapping[str, tuple[Rotation, ...]]:
    """Return the rotations of each service, those of the first level first.

    Raises:
        DefinitionError: With every problem of the file.
    """
    path = root / name
    problems = Problems(printable(path.relative_to(root)))
    if not path.exists():
        problems.error("is not there", remedy="write the schedule there, or correct `on_call:`")
    data = read_file(path, problems) if path.exists() else None
    node = None if data is None else read_nodes(data, problems)
    found: dict[str, tuple[Rotation, ...]] = {}
    if isinstance(node, MappingNode):
        services = Fields(node, problems)
        for service in services:
            levels = [_rotation(each) for each in services.mappings(service)]
            found[service] = tuple(each for each in levels if each is not None)
            if not levels:
                problems.error(
                    f"{services.label(service)} has nobody",
                    line=services.line(service),
                    remedy="write a list with a rotation for each level",
                )
    elif not problems.errors:
        problems.error("names no service", remedy="write such as `production:` with rotations")
    problems.raise_errors()
    return found


def _rotation(fields: Fields) -> Rotation | None:
    fields.unknown(_KEYS, fields.problems.error)
    zone = fields.parsed("timezone", _zone) or _UTC
    people = fields.parsed_list("people", _someone)
    if not fields.has("people"):
        fields.required("people", remedy="add such as `people: [ada, bob]`")
    start = _needed(fields, "start", _local, "2026-03-02")
    length = fields.parsed("length", _length) or timedelta(weeks=1)
    handover = fields.parsed("handover", _time)
    overrides = tuple(_overrides(fields, zone))
    if people is None or start is None:
        return None
    if handover is not None:
        start = datetime.combine(start.date(), handover)
    return Rotation(people=people, start=start, length=length, zone=zone, overrides=overrides)


def _needed(fields: Fields, key: str, parse: Callable[[str], T], example: str) -> T | None:
    if not fields.has(key):
        fields.required(key, remedy=f"add such as `{key}: {example}`")
        return None
    return fields.parsed(key, parse)


def _overrides(fields: Fields, zone: ZoneInfo) -> list[Override]:
    found = []
    for each in fields.mappings("overrides"):
        each.unknown(("from", "to", "person"), each.problems.error)
        since = _needed(each, "from", _local, "2026-03-05T09:00")
        until = _needed(each, "to", _local, "2026-03-06T09:00")
        person = _needed(each, "person", _someone, "eve")
        if since is None or until is None or person is None:
            continue
        if until <= since:
            each.problems.error(
                f"{each.label('to')} is not after `from`",
                line=each.line("to"),
                remedy="write when they hand back",
            )
        since, until = since.replace(tzinfo=zone), until.replace(tzinfo=zone)
        found.append(Override(since=since, until=until, person=person))
    return found


def _someone(text: str) -> Someone:
    found = _PERSON.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{quote(text)} is nobody",
            hint='write a name, or for Slack a quoted "ada <@U024BE7LH>"',
        )
    return Someone(name=found[1].lstrip("@"), mention=found[2] or "")


def _local(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(
            f"{quote(text)} is no time", hint="write such as 2026-03-02 or 2026-03-02T09:00"
        ) from exc
    if moment.tzinfo is not None:
        raise UsageError(
            f"{quote(text)} has a time zone", hint="leave it out: `timezone:` says which it is"
        )
    return moment


def _time(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"{quote(text)} is no time of day", hint="write such as 09:00") from exc
    if found.tzinfo is not None:
        raise UsageError(f"{quote(text)} has a time zone", hint="write such as 09:00")
    return found


def _length(text: str) -> timedelta:
    length = parse_duration(text)
    if length < _SHORTEST:
        raise UsageError(f"{quote(text)} is too short for a turn", hint="write 30m or longer")
    return length


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise UsageError(
            f"{quote(text)} is no time zone", hint="write one such as Europe/Amsterdam or UTC"
        ) from exc
