"""How does a request's body become a command?"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Body

from flagstaff.commands.codec import decode
from flagstaff.errors import UsageError
from flagstaff.server.api.command_schemas import MARK, Schema, request_schema

T = TypeVar("T")

JsonBody = Annotated[dict[str, Any] | None, Body()]


def asks_for(kind: type, *given: str) -> Schema:
    """Return what describes the body: the command without its kind and what the address gives."""
    return {MARK: request_schema(kind, given)}


def command_from(kind: type[T], body: dict[str, Any] | None, **given: object) -> T:
    """Return the command that a body and an address ask for.

    Raises:
        UsageError: the body has fields that the command has not, or values it cannot have.
    """
    found = body or {}
    if twice := sorted(found.keys() & given.keys()):
        raise UsageError(
            f"the address says {', '.join(twice)}, so the body must not",
            hint="leave it out of the body",
        )
    return decode({**found, **given}, kind)
