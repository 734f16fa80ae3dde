"""Feature-flag rollouts that run themselves."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flagstaff.flags.actor import Actor
    from flagstaff.flags.evaluation import ErrorCode, Evaluation, Gate, Reason
    from flagstaff.sdk.client import Client
    from flagstaff.sdk.handle import FlagHandle
    from flagstaff.sdk.readiness import Mode, Readiness
    from flagstaff.sdk.scopes import instance_actor, process_actor, request_actor, request_scope

__all__ = [
    "Actor",
    "Client",
    "ErrorCode",
    "Evaluation",
    "FlagHandle",
    "Gate",
    "Mode",
    "Readiness",
    "Reason",
    "instance_actor",
    "process_actor",
    "request_actor",
    "request_scope",
]

_HOMES = {
    "Actor": "flagstaff.flags.actor",
    "Client": "flagstaff.sdk.client",
    "ErrorCode": "flagstaff.flags.evaluation",
    "Evaluation": "flagstaff.flags.evaluation",
    "FlagHandle": "flagstaff.sdk.handle",
    "Gate": "flagstaff.flags.evaluation",
    "Mode": "flagstaff.sdk.readiness",
    "Readiness": "flagstaff.sdk.readiness",
    "Reason": "flagstaff.flags.evaluation",
    "instance_actor": "flagstaff.sdk.scopes",
    "process_actor": "flagstaff.sdk.scopes",
    "request_actor": "flagstaff.sdk.scopes",
    "request_scope": "flagstaff.sdk.scopes",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: the command line starts without the client."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
