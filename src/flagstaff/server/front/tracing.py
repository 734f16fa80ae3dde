"""By which name can one request be found in the log?"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from secrets import token_hex

from starlette.types import Scope

HEADER = b"x-request-id"
_NAME = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_SECRET = re.compile(r"(/setup/).*", re.DOTALL)
"""What stands behind it in an address is as good as a password."""

log = logging.getLogger("flagstaff.requests")


def named(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Return the name that a request came with, or a new one; it is in the request's state too."""
    given = headers.get(HEADER)
    name = given.decode() if given and _NAME.fullmatch(given) else token_hex(16)
    scope.setdefault("state", {})["request_id"] = name
    return name


def note(scope: Scope, name: str, status: int, seconds: float) -> None:
    """Write a line about an answered request; without a status it never was."""
    level = logging.WARNING if status >= 500 or not status else logging.INFO  # noqa: PLR2004
    if log.isEnabledFor(level):
        path = _SECRET.sub(r"\1***", scope["path"]).encode("unicode_escape").decode()
        took = seconds * 1_000
        log.log(level, "%s %s %d %.1f ms %s", scope["method"], path, status, took, name)
