"""Who has to know that the process was forked, or ends?"""

from __future__ import annotations

import atexit
import logging
import os
import weakref
from contextlib import suppress
from typing import Protocol

from flagstaff.sdk.uwsgi import tell_after_fork

log = logging.getLogger("flagstaff")


class Survivor(Protocol):
    """Something that goes on in a forked child."""

    def after_fork(self) -> None:
        """Replace locks, connections and threads, none of which survive a fork."""

    def close(self) -> None:
        """Send what is left to send."""


_told = os.getpid()
_survivors: weakref.WeakSet[Survivor] = weakref.WeakSet()


def survive(survivor: Survivor) -> None:
    """Tell `survivor` about every later fork, in the child, and about the end of the process."""
    _survivors.add(survivor)


def survivors() -> list[Survivor]:
    """Return everything that is told, in no order."""
    return list(_survivors)


def _tell() -> None:
    # Two hooks may tell of the same fork.
    global _told  # noqa: PLW0603 - one process, one number
    if _told == os.getpid():
        return
    _told = os.getpid()
    for survivor in survivors():
        try:
            survivor.after_fork()
        except Exception:
            log.exception("a client of feature flags did not survive the fork")


def _close() -> None:
    for survivor in survivors():
        with suppress(Exception):
            survivor.close()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
tell_after_fork(_tell)
