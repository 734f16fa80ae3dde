"""What do `freeze:` and `quiet_hours:` under `policies:` say?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeVar

from flagstaff.definitions.cron import last_start, zone
from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.policies import PRODUCTION_ONLY, Freeze, QuietHours
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError

_FREEZE_KEYS: Final = ("from", "to", "reason", "timezone", "environments")
_QUIET_KEYS: Final = ("cron", "lasts", "reason", "timezone", "environments")
_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)

T = TypeVar("T")


def read_freezes(policies: Fields) -> tuple[Freeze, ...]:
    """Return the freezes that are in order, and note what is wrong with others."""
    found = []
    for fields in policies.mappings("freeze"):
        fields.unknown(_FREEZE_KEYS, fields.problems.error)
        timezone = _zone(fields)
        since = _moment(fields, "from", timezone)
        until = _moment(fields, "to", timezone, last=True)
        reason = fields.required("reason", remedy="say why, for those who are refused")
        if since is None or until is None:
            continue
        if until <= since:
            fields.problems.error(
                f"{fields.label('to')} is not after `from`",
                line=fields.line("to"),
                remedy="write when the freeze ends",
            )
        found.append(
            Freeze(since=since, until=until, reason=reason, environments=_environments(fields))
        )
    return tuple(found)


def read_quiet_hours(policies: Fields) -> tuple[QuietHours, ...]:
    """Return the quiet hours that are in order, and note what is wrong with others."""
    found = []
    for fields in policies.mappings("quiet_hours"):
        fields.unknown(_QUIET_KEYS, fields.problems.error)
        timezone = _zone(fields)
        cron = _needed(fields, "cron", "when they begin: `cron: 0 18 * * MON-FRI`")
        lasts = fields.parsed("lasts", _length) if fields.has("lasts") else None
        if not fields.has("lasts"):
            _needed(fields, "lasts", "how long they last: `lasts: 14h`")
        reason = fields.required("reason", remedy="say why, for those who are refused")
        if not cron or lasts is None or fields.parsed("cron", _line) is None:
            continue
        found.append(
            QuietHours(
                cron=cron,
                lasts=lasts,
                reason=reason,
                timezone=timezone,
                environments=_environments(fields),
            )
        )
    return tuple(found)


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


def _moment(fields: Fields, key: str, timezone: str, *, last: bool = False) -> datetime | None:
    """Return a time; a date alone is the beginning of the day, or the end of the last one."""
    if not fields.has(key):
        fields.required(key, remedy=f"add a time with its zone: `{key}: 2026-12-20T18:00:00Z`")
        return None

    def parse(text: str) -> datetime:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return parse_moment(text)
        day += _DAY if last else timedelta()
        return datetime.combine(day, time(), tzinfo=zone(timezone)).astimezone(UTC)

    return fields.parsed(key, parse)


def _zone(fields: Fields) -> str:
    def parse(text: str) -> str:
        zone(text)
        return text

    return fields.parsed("timezone", parse) or "UTC"


def _environments(fields: Fields) -> tuple[str, ...]:
    return fields.parsed_list("environments", str) or PRODUCTION_ONLY


def _needed(fields: Fields, key: str, what: str) -> str:
    return fields.required(key, remedy=f"say {what}")


def _line(text: str) -> str:
    last_start(text, "UTC", _SOME_DAY)
    return text


def _length(text: str) -> timedelta:
    length = parse_duration(text)
    if timedelta(0) < length <= _LONGEST:
        return length
    raise UsageError(f"{quote(text)} is no time for quiet hours", hint="write 1h to 366d")
