"""When does a line such as `0 18 * * MON-FRI` begin something, in a time zone?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError


def last_start(cron: str, timezone: str, now: datetime) -> datetime | None:
    """Return when it last began at `now`, which counts; `None` if never.

    Raises:
        UsageError: the line or the zone is none.
    """
    try:
        # Imported here: applications that only ask for flags never need it.
        from cronsim import CronSim, CronSimError  # noqa: PLC0415
    except ImportError as exc:
        raise UsageError(
            "times in cron's form need a package more", hint="pip install 'flagstaff[server]'"
        ) from exc
    local = now.astimezone(zone(timezone))
    try:
        for start in CronSim(cron, local + timedelta(minutes=1), reverse=True):
            if start <= local:
                return start.astimezone(UTC)
    except CronSimError as exc:
        raise UsageError(
            f"{quote(cron)} is no line of cron: {str(exc).lower()}",
            hint="write minute, hour, day, month and weekday, such as `0 18 * * MON-FRI`",
        ) from exc
    return None


def zone(name: str) -> ZoneInfo:
    """Return the time zone with this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise UsageError(
            f"there is no time zone {quote(name)}", hint="write one such as Europe/Berlin, or UTC"
        ) from exc
