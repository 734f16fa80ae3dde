"""What does Unleash's frontend API answer? The flags that are on, evaluated here."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.flags.actor import Actor
from flagstaff.flags.compile import CompiledFlag
from flagstaff.flags.evaluation import Evaluation
from flagstaff.flags.explain import evaluate
from flagstaff.server.compat.asking import read_json
from flagstaff.server.compat.live import Held, asked_about

_PROPERTY = re.compile(r"properties\[(.+)\]")


async def frontend_context(request: Request) -> dict[str, Any]:
    """Return the context that the query, or the body of a POST, gives.

    Raises:
        UsageError: it is malformed.
    """
    if request.method != "POST":
        return _from_query(request)
    body = await read_json(request)
    context = body.get("context", {}) if isinstance(body, dict) else None
    if not isinstance(context, dict) or not isinstance(context.get("properties", {}), dict):
        raise UsageError('the body is not an object such as {"context": {"userId": "User:1"}}')
    return context


def toggles(held: Held, context: dict[str, Any]) -> list[dict[str, object]]:
    """Return the flags that are on for the context."""
    properties = context.get("properties", {})
    identity = context.get("userId")
    actors = asked_about(identity, {**context, **properties})
    flags, found = held.compiled.flags, []
    for name in sorted(flags):
        answer = _answer(flags[name], actors, held)
        if answer is not None and answer.value:
            variant = _variant(answer) if flags[name].flag.variants else _NO_VARIANT
            found.append(
                {"name": name, "enabled": True, "variant": variant, "impressionData": False}
            )
    return found


_NO_VARIANT = {"name": "disabled", "enabled": False, "feature_enabled": True}


def _answer(flag: CompiledFlag, actors: tuple[Actor, ...], held: Held) -> Evaluation | None:
    try:
        return evaluate(flag, actors, held.snapshot.version)
    except FlagstaffError:  # a flag that cannot be evaluated is off, and the others are answered
        return None


def _variant(answer: Evaluation) -> dict[str, object]:
    found: dict[str, object] = {"name": answer.variant, "enabled": True, "feature_enabled": True}
    match answer.payload:
        case None:
            pass
        case str() as text:
            found["payload"] = {"type": "string", "value": text}
        case bool() | dict() | list() as value:
            found["payload"] = {"type": "json", "value": json.dumps(value)}
        case value:
            found["payload"] = {"type": "number", "value": str(value)}
    return found


def _from_query(request: Request) -> dict[str, Any]:
    context: dict[str, Any] = {"properties": {}}
    for name, value in request.query_params.items():
        if inside := _PROPERTY.fullmatch(name):
            context["properties"][inside[1]] = value
        elif name != "properties":
            context[name] = value
    return context
