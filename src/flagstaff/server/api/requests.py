"""How does a request's body become a command?"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from flagstaff.commands.codec import decode
from flagstaff.errors import UsageError
from flagstaff.server.api.command_schemas import MARK, Schema, request_schema

T = TypeVar("T")

JsonObject = dict[str, Any]


async def _json_object(request: Request) -> JsonObject:
    """Return the body; without one, all that a command needs is in the address.

    Raises:
        UsageError: it is no JSON object.
    """
    text = await request.body()
    try:
        found = json.loads(text, parse_constant=_refuse) if text else {}
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"the body is not JSON: {exc}", hint="send a JSON object") from exc
    if not isinstance(found, dict):
        raise UsageError("the body is not a JSON object", hint='write {"…": …}')
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


JsonBody = Annotated[JsonObject, Depends(_json_object)]


def asks_for(kind: type, *given: str) -> Schema:
    """Return what describes the body: the command without its kind and what the address gives."""
    return {MARK: request_schema(kind, given)}


def command_from(kind: type[T], body: JsonObject, **given: object) -> T:
    """Return the command that a body and an address ask for.

    Raises:
        UsageError: the body has fields that the command has not, or values it cannot have.
    """
    if twice := sorted(body.keys() & given.keys()):
        raise UsageError(
            f"the address says {', '.join(twice)}, so the body must not",
            hint="leave it out of the body",
        )
    return decode({**body, **given}, kind)
