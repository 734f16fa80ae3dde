"""What can be asked for about the lives of flags?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStale:
    """List the flags that should go, with the reasons; what is empty does not matter.

    `fail` makes the answer a no when there is any, for programs that look at nothing else.
    """

    writes: ClassVar[bool] = False

    reason: str = ""
    type: str = ""
    owner: str = ""
    fail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDue:
    """Say until when a flag has to be gone: a day, how long from now, or `none`."""

    writes: ClassVar[bool] = True

    flag: str
    due: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUndefined:
    """Remove the state of every flag that is defined nowhere, in the environments, all or nothing.

    Without `confirm` nothing is done, and the answer says what would be. `confirm` holds, for each
    environment, the mark of the flags that were shown for it.
    """

    writes: ClassVar[bool] = True

    environments: tuple[str, ...]
    confirm: tuple[str, ...] = ()
    reason: str = ""
    overrides: tuple[str, ...] = ()


LifeCommand = ListStale | SetDue | DeleteUndefined
