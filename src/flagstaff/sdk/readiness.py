"""Is the client ready, and how fresh is what it answers from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """Where the snapshot in force comes from.

    `starting`: none yet. `fixed`: memory or files. `live`: the server's stream. `polling`: the
    stream is broken, the server answers. `stale`: the server does not answer; the last good
    snapshot is in force. `closed`: the client was closed and answers from the last snapshot.
    """

    STARTING = "starting"
    FIXED = "fixed"
    LIVE = "live"
    POLLING = "polling"
    STALE = "stale"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a health check, or a person, wants to know about a client.

    Attributes:
        ready: there is a snapshot to answer from.
        mode: where it comes from.
        environment: whose flags are asked.
        version: of the snapshot in force; 0 without one.
        flags: how many it has.
        problem: the last thing that went wrong and was not put right since; empty if nothing.
        unanswered: flags that are unknown or fail, and how often each was asked about.
        dropped: how many counts were given up because they could not be sent or kept.
    """

    ready: bool
    mode: Mode
    environment: str
    version: int
    flags: int
    problem: str
    unanswered: Mapping[str, int]
    dropped: int
