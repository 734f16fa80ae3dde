"""Where can a guard read from, besides job logs?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class SourceKind(StrEnum):
    """What answers; each is the key under which its address is written."""

    PROMETHEUS = "prometheus"
    HTTP = "http"
    SQL = "sql"
    SENTRY = "sentry"
    FLAGSTAFF = "flagstaff"


BUILT_IN: Final = "flagstaff"
"""The source that needs no entry: what the SDK of applications reports to this server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSource:
    """How a source is reached.

    Attributes:
        name: what guards call it.
        address: of the server or the database.
        token_file: holds what is sent as a bearer token, from the project's root.
        password_file: holds the password of a database.
        organization: in Sentry.
        project: in Sentry, by its number.
        environment: in Sentry; all of them without.
        timeout: for one answer.
        lag: how old what is read must be, so that it is complete.
        max_gap: after so long without a reading the counters are read anew and what happened in
            between is left out: nobody can tell any more whether one began at zero again.
    """

    name: str
    kind: SourceKind
    address: str = ""
    token_file: str | None = None
    password_file: str | None = None
    organization: str = ""
    project: str = ""
    environment: str = ""
    timeout: timedelta = timedelta(seconds=5)
    lag: timedelta = timedelta(seconds=30)
    max_gap: timedelta = timedelta(minutes=5)
