"""Which moment do the words of a person mean?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flagstaff.errors import UsageError

_LONGEST = timedelta(days=3650)


def parse_moment(text: str, *, now: datetime) -> datetime:
    """Return the time meant: a day, a time in ISO form, UTC unless it says otherwise, or `2d` ago.

    Raises:
        UsageError: it is none of these.
    """
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 help loads no YAML

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            return now - parse_duration(text)
        except UsageError as exc:
            raise UsageError(
                f"{text[:60]!r} is no time",
                hint="write a day or a time such as 2026-03-02T09:00, or how long ago: 2d",
            ) from exc
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as exc:
        raise UsageError(
            f"{text[:60]!r} is out of every calendar", hint="name a nearer day"
        ) from exc


def check_moment(text: str) -> str:
    """Return the text if it means a moment, whenever it is read.

    Raises:
        UsageError: it does not.
    """
    if text:
        parse_moment(text, now=datetime.min.replace(tzinfo=UTC) + _LONGEST)
    return text
