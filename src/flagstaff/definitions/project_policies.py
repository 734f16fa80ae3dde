"""What does `policies:` in `flagstaff.yml` say?"""

from __future__ import annotations

import re
import shlex
from dataclasses import fields as names_of
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeVar

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.policies import Freeze, HealthCheck, Policies
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_FREEZE_KEYS: Final = ("from", "to", "reason")
_HEALTH_KEYS: Final = ("url", "command", "timeout")
_POINTS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_LONGEST: Final = timedelta(minutes=5)

T = TypeVar("T")


def read_policies(project: Fields, environments: tuple[str, ...]) -> Policies:
    """Return what is set under `policies`, and note what is wrong there."""
    default = Policies()
    fields = project.mapping("policies")
    if fields is None:
        return default
    fields.unknown(tuple(each.name for each in names_of(Policies)), fields.problems.error)
    return Policies(
        consistency=_or(fields.boolean("consistency"), default.consistency),
        production_channel=_or(fields.boolean("production_channel"), default.production_channel),
        environment_channels=_channels(fields, environments),
        freeze=_freezes(fields),
        health=_health(fields),
        require_deployed=_or(fields.boolean("require_deployed"), default.require_deployed),
        min_dwell=_or(fields.parsed("min_dwell", parse_duration), default.min_dwell),
        max_step=_or(fields.parsed("max_step", _points), default.max_step),
        allow_random=_or(fields.boolean("allow_random"), default.allow_random),
        allow_actorless=_or(fields.boolean("allow_actorless"), default.allow_actorless),
        four_eyes=_or(fields.boolean("four_eyes"), default.four_eyes),
    )


def _or(found: T | None, default: T) -> T:
    return default if found is None else found


def _channels(
    policies: Fields, environments: tuple[str, ...]
) -> MappingProxyType[str, tuple[str, ...]]:
    fields = policies.mapping("environment_channels")
    if fields is None:
        return MappingProxyType({})
    for name in fields:
        if name == "production":
            fields.problems.error(
                f"{fields.label(name)} is set elsewhere",
                line=fields.line(name),
                remedy="name its channel as `channels: production:`",
            )
        elif name not in environments:
            fields.problems.error(
                f"{fields.label(name)} is no environment",
                line=fields.line(name),
                remedy=suggestion(name, environments),
            )
    found = {name: fields.parsed_list(name, str) for name in fields}
    return MappingProxyType({name: names for name, names in found.items() if names})


def _freezes(policies: Fields) -> tuple[Freeze, ...]:
    found = []
    for fields in policies.mappings("freeze"):
        fields.unknown(_FREEZE_KEYS, fields.problems.error)
        since, until = _moment(fields, "from"), _moment(fields, "to")
        reason = fields.required("reason", remedy="say why, for those who are refused")
        if since is None or until is None:
            continue
        if until <= since:
            fields.problems.error(
                f"{fields.label('to')} is not after `from`",
                line=fields.line("to"),
                remedy="write when the freeze ends",
            )
        found.append(Freeze(since=since, until=until, reason=reason))
    return tuple(found)


def _moment(fields: Fields, key: str) -> datetime | None:
    if not fields.has(key):
        fields.required(key, remedy=f"add a time with its zone: `{key}: 2026-12-20T18:00:00Z`")
        return None
    return fields.parsed(key, parse_moment)


def parse_moment(text: str) -> datetime:
    """Return the time that `text` names, in ISO form and with its zone.

    Raises:
        UsageError: It is no such time, or has no zone.
    """
    hint = "write a time with its zone, such as 2026-12-20T18:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"{quote(text)} is no time", hint=hint) from exc
    if moment.tzinfo is None:
        raise UsageError(f"{quote(text)} has no time zone", hint=hint)
    return moment


def _health(policies: Fields) -> HealthCheck | None:
    fields = policies.mapping("health")
    if fields is None:
        return None
    fields.unknown(_HEALTH_KEYS, fields.problems.error)
    url = fields.parsed("url", _address) or ""
    command = fields.parsed("command", _words) or ()
    if fields.has("url") == fields.has("command"):
        fields.problems.error(
            f"{policies.label('health')} needs either `url` or `command`",
            line=policies.line("health"),
            remedy="write whom to ask whether production is well",
        )
    timeout = fields.parsed("timeout", _timeout) or HealthCheck().timeout
    return HealthCheck(url=url, command=command, timeout=timeout)


def _address(text: str) -> str:
    if is_web_address(text):
        return text
    raise UsageError(
        "this is no web address", hint="write one that starts with http:// or https://"
    )


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as exc:
        raise UsageError(f"{quote(text)} is no command: {exc}", hint="close every quote") from exc


def _timeout(text: str) -> timedelta:
    length = parse_duration(text)
    if timedelta(0) < length <= _LONGEST:
        return length
    raise UsageError(f"{quote(text)} is no time to wait", hint="write 1s to 5m")


def _points(text: str) -> Decimal:
    number = Decimal(text) if _POINTS.fullmatch(text) else Decimal(0)
    if 0 < number <= 100:  # noqa: PLR2004 percent
        return number
    raise UsageError(
        f"{quote(text)} is no number of percentage points",
        hint="write a number above 0 and up to 100, such as 25",
    )
