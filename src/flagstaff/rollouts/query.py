"""What does a guard ask a metric source, and how far has it read?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

RETRIED: Final = "retried"
WAITS: Final = "waits"
"""Of jobs, as workers report them: tries that end in another one, and the wait until the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """How two sides are counted in a source that has a name in the project's settings.

    What `bad`, `total` and `statement` mean is the source's own: series, fields or SQL.

    Args:
        source: its name under `sources` in `flagstaff.yml`.
        bad: what counts as failed.
        total: everything that counts.
        statement: the query, where the source has a language of its own for all of it.
        label: what tells the sides apart.
        on: its value for those with the flag on.
        off: its value for those with the flag off.
        flag: whose outcomes, where the source is what applications report.
        slower_than: seconds above which something is bad, where that is how long it took.
        exposure: another guard whose totals are used, where the source knows of failures only.
    """

    source: str
    bad: str = ""
    total: str = ""
    statement: str = ""
    label: str = "variant"
    on: str = "on"
    off: str = "off"
    flag: str = ""
    exposure: str = ""
    slower_than: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The value of one counter that is in the evidence already, and the real time it had it."""

    key: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """How far one log has been read, whatever its file is called by now.

    Args:
        head: digest of its first line, by which the log is known again, also in a copy.
        offset: bytes that have been read, whole lines.
        tail: digest of the last of them: another file that begins alike is not read on from there.
        at: the real time when something was read last.
    """

    head: str
    offset: int
    tail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Up to which real time a source was read, and where its counters, or its logs, stood then.

    It is kept with the evidence, in the same row: what is not committed was not read.
    """

    at: datetime | None = None
    bases: tuple[Base, ...] = ()
    logs: tuple[LogPlace, ...] = ()


NOWHERE = Place()
