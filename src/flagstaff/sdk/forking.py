"""Who has to know that the process was forked?"""

from __future__ import annotations

import logging
import os
import weakref
from typing import Protocol

log = logging.getLogger("flagstaff")


class Survivor(Protocol):
    """Something that goes on in a forked child."""

    def after_fork(self) -> None:
        """Replace locks, connections and threads, none of which survive a fork."""


_survivors: weakref.WeakSet[Survivor] = weakref.WeakSet()


def survive(survivor: Survivor) -> None:
    """Tell `survivor` about every later fork, in the child, for as long as it lives."""
    _survivors.add(survivor)


def _tell() -> None:
    for survivor in list(_survivors):
        try:
            survivor.after_fork()
        except Exception:
            log.exception("a client of feature flags did not survive the fork")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
