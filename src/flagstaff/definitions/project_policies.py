"""What does `policies:` in `flagstaff.yml` say?"""

from __future__ import annotations

import re
import shlex
from dataclasses import fields as names_of
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeVar

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.policies import HealthCheck, Policies
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.project_windows import (
    parse_moment,
    read_freezes,
    read_quiet_hours,
)
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_HEALTH_KEYS: Final = ("url", "command", "timeout")
_POINTS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_LONGEST: Final = timedelta(minutes=5)

__all__ = ["parse_moment", "read_policies"]

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
        freeze=read_freezes(fields),
        quiet_hours=read_quiet_hours(fields),
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
