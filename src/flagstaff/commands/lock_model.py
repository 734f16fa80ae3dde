"""What can be asked for about locks and incidents? Part of `commands.model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEnvironment:
    """Let nothing open wider in an environment for now.

    `lasts` is a length of time such as `2h`; empty is until somebody unlocks it.
    """

    writes: ClassVar[bool] = True

    environment: str
    reason: str
    lasts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockEnvironment:
    """Let flags open again in an environment."""

    writes: ClassVar[bool] = True

    environment: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """Say that there is an incident in an environment: nothing opens wider there until it ends."""

    writes: ClassVar[bool] = True

    title: str
    environment: str = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident:
    """Say that the incident in an environment is over."""

    writes: ClassVar[bool] = True

    environment: str = "production"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLocks:
    """List the environments that are locked, and the open incidents."""

    writes: ClassVar[bool] = False


LockCommand = LockEnvironment | UnlockEnvironment | OpenIncident | CloseIncident | ListLocks
