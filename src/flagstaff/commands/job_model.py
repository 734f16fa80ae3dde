"""What can be asked for about background jobs? Part of `commands.model`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchJobs:
    """Let background jobs of one name run, put them off, or throw them away.

    `action` is `run`, `defer` or `drop`, for a share of `percentage` of them; what is neither run
    nor dropped is put off.
    """

    writes: ClassVar[bool] = True

    task: str
    action: str
    environments: tuple[str, ...]
    percentage: Decimal = Decimal(100)
    reason: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSwitches:
    """List the background jobs that do not all run, in the environments."""

    writes: ClassVar[bool] = False

    environments: tuple[str, ...]


JobCommand = SwitchJobs | ListSwitches
