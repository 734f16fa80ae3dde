"""How does an OpenFeature provider ask for flags? By the remote evaluation protocol, OFREP 0.3."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.flags.actor import Actor
from flagstaff.flags.compile import CompiledFlag
from flagstaff.flags.evaluation import Reason
from flagstaff.flags.explain import evaluate
from flagstaff.server.access import Admitting, bearer
from flagstaff.server.compat.asking import Door, environment_of, read_json
from flagstaff.server.compat.live import Held, Holding, asked_about, tagged_answer
from flagstaff.server.compat.ofrep_events import Events, events_query
from flagstaff.server.failures import status_of
from flagstaff.server.front.ready import Ready
from flagstaff.server.front.ways import Way, answering
from flagstaff.server.places import Places

INACTIVITY = 120
"""Seconds after which a client that nobody looks at should leave the stream."""

WORDS = {Reason.DEFAULT: "STATIC", Reason.STALE: "UNKNOWN", Reason.ERROR: "UNKNOWN"}
"""Reasons for which the protocol has another word."""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Made once: making one takes as long as writing a short answer."""


class BadRequest(Exception):
    """The request is malformed; `code` is the protocol's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def build_ofrep(evaluating: Evaluating, events: Events) -> ASGIApp:
    """Return the application for `/ofrep/v1`."""
    inner = Starlette(
        routes=[
            Route("/evaluate/flags", evaluating.all, methods=["POST"]),
            Route("/evaluate/flags/{key:path}", evaluating.one, methods=["POST"]),
        ],
        exception_handlers=dict(_HANDLERS),
    )
    door = Door(inner, evaluating.access, _tokens, _unauthorized)
    # Browsers send no headers with a stream, so its address carries a seal instead of the token.
    return Starlette(routes=[Route("/events", events), Mount("", door)])


def ofrep_ways(mount: str, evaluating: Evaluating, events: Events) -> list[Way]:
    """Return the short ways to what is asked most."""

    def way(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Way:
        app = Door(answering(endpoint, _HANDLERS), evaluating.access, _tokens, _unauthorized)
        return Way(app=app, methods=frozenset({"POST"}), mount=mount, path=path)

    return [
        way("/evaluate/flags", evaluating.all),
        way("/evaluate/flags/{key:path}", evaluating.one),
        Way(app=events, methods=frozenset({"GET"}), mount=mount, path="/events", stream=True),
    ]


@dataclass(frozen=True, slots=True)
class Evaluating:
    """The routes that evaluate."""

    places: Places
    held: Holding
    access: Admitting

    async def one(self, request: Request) -> Response:
        """Return the answer of one flag."""
        key = request.path_params["key"]
        held = await self.held.of(environment_of(request, self.places))
        actors = _actors(await _context(request))
        found = held.compiled.flags.get(key)
        if found is None:
            body = _failure(key, "FLAG_NOT_FOUND", f"there is no flag {key}")
            return JSONResponse(body, 404)
        answer = _answer(found, actors, held)
        status = 400 if "errorCode" in answer else 200
        return Ready(_encode(answer).encode(), status)

    async def all(self, request: Request) -> Response:
        """Return the answers of all flags."""
        environment = environment_of(request, self.places)
        held = await self.held.of(environment)
        actors = _actors(await _context(request))
        flags = held.compiled.flags
        body = {
            "flags": [_answer(flags[name], actors, held) for name in sorted(flags)],
            "eventStreams": [self._stream(request, environment)],
            "metadata": {"environment": environment, "version": held.snapshot.version},
        }
        return tagged_answer(request, body)

    def _stream(self, request: Request, environment: str) -> dict[str, object]:
        query = events_query(self.access, environment)
        return {
            "type": "sse",
            "endpoint": {"requestUri": f"{request.scope['root_path']}/events?{query}"},
            "inactivityDelaySec": INACTIVITY,
        }


async def _context(request: Request) -> dict[str, Any]:
    try:
        body = await read_json(request)
    except UsageError as exc:
        raise BadRequest("PARSE_ERROR", exc.message) from exc
    # Some clients leave the context out when it is empty.
    context = body.get("context", {}) if isinstance(body, dict) else {} if body is None else body
    if not isinstance(context, dict):
        raise BadRequest("INVALID_CONTEXT", "the context is not an object")
    if not isinstance(context.get("targetingKey", ""), str):
        raise BadRequest("INVALID_CONTEXT", "targetingKey is not a text")
    return context


def _actors(context: dict[str, Any]) -> tuple[Actor, ...]:
    return asked_about(context.get("targetingKey"), context)


def _answer(found: CompiledFlag, actors: tuple[Actor, ...], held: Held) -> dict[str, object]:
    name, version = found.flag.name, held.snapshot.version
    try:
        answer = evaluate(found, actors, version)
    except FlagstaffError as exc:
        return _failure(name, "GENERAL", exc.message)
    body: dict[str, object] = {
        "key": name,
        "reason": WORDS.get(answer.reason, answer.reason.value),
        "variant": answer.variant,
        "metadata": {"gate": answer.gate.value, "version": version},
    }
    # A flag with variants that is off has no value of its own: the caller's default answers.
    if answer.value or not found.flag.variants:
        body["value"] = answer.variant if answer.payload is None else answer.payload
    return body


def _failure(key: str, code: str, details: str) -> dict[str, object]:
    return {"key": key, "errorCode": code, "errorDetails": details}


def _tokens(request: HTTPConnection) -> Iterable[str]:
    return (bearer(request.headers), request.headers.get("x-api-key", ""))


def _unauthorized() -> Response:
    text = "the token is missing or wrong; send `Authorization: Bearer TOKEN`"
    headers = {"www-authenticate": "Bearer"}
    return JSONResponse({"errorDetails": text}, 401, headers=headers)


def _bad_request(request: Request, error: Exception) -> Response:
    code = error.code if isinstance(error, BadRequest) else "GENERAL"
    return JSONResponse(_keyed(request, {"errorCode": code, "errorDetails": str(error)}), 400)


def _failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, FlagstaffError):
        raise error
    body = {"errorCode": "GENERAL", "errorDetails": str(error)}
    return JSONResponse(_keyed(request, body), status_of(error))


def _keyed(request: Request, body: dict[str, str]) -> dict[str, str]:
    key = request.path_params.get("key")
    return body if key is None else {"key": key, **body}


def _no_route(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"errorDetails": error.detail}, error.status_code, headers=error.headers)


def _fault(_: Request, _error: Exception) -> Response:
    # It goes on up to the log.
    return JSONResponse({"errorDetails": "the server has a fault; its log says which"}, 500)


_HANDLERS = {
    BadRequest: _bad_request,
    FlagstaffError: _failed,
    HTTPException: _no_route,
    Exception: _fault,
}
