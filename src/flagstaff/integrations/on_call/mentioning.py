"""Whom does an announcement mention, in a channel whose purpose has somebody on call?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from flagstaff.errors import FlagstaffError
from flagstaff.services.ports import OnCallBook, OnDuty

ON_CALL: Final = frozenset({"on_call", "oncall", "on-call"})
"""Purposes of channels that are those of the usual service."""

log = logging.getLogger(__name__)


def service_of(channel: str, channels: Mapping[str, str], book: OnCallBook) -> str:
    """Return the service whose people a channel's announcements mention, empty for none.

    Raises:
        FlagstaffError: the services are not to be read.
    """
    known = book.services()
    for purpose, name in channels.items():
        if name.lstrip("#") != channel.lstrip("#"):
            continue
        if purpose in known and purpose not in {"production", "team", "rollouts"}:
            return purpose
        if purpose in ON_CALL:
            return book.default
    return ""


def mentioned(
    channel: str, channels: Mapping[str, str], book: OnCallBook | None, now: datetime
) -> tuple[tuple[OnDuty, ...], str]:
    """Return whom to mention, and what is to be said if that is not known; it never raises."""
    if book is None:
        return (), ""
    try:
        service = service_of(channel, channels, book)
        return (book.on_duty(service, now) if service else ()), ""
    except FlagstaffError as error:
        log.warning("an announcement in %s mentions nobody: %s", channel, error)
        return (), f"(who is on call is not known: {error.message})"
