"""How does Flipper's HTTP adapter, or a program that knows its API, read flags?

Every defined flag is a feature, set or not, so that Ruby answers a default of "on" with "on".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, ExceptionHandler

from flagstaff.errors import FlagstaffError, NotFound
from flagstaff.flags.actor import Actor
from flagstaff.flags.explain import evaluate
from flagstaff.server.access import Admitting, bearer
from flagstaff.server.compat import flipper_json as wire
from flagstaff.server.compat.asking import Door, environment_of, read_parameters, remedy
from flagstaff.server.compat.live import Held, Holding, tagged_answer
from flagstaff.server.failures import status_of
from flagstaff.server.places import Places

Endpoint = Callable[[Request], Awaitable[Response]]


class Invalid(Exception):
    """The request has an error that the protocol has a number for."""

    def __init__(self, problem: wire.Problem, message: str = "") -> None:
        super().__init__(message or problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The routes that change nothing."""

    places: Places
    held: Holding

    def routes(self) -> list[BaseRoute]:
        """Return them; behind those that write, because a feature's name may have slashes."""
        return [
            Route("/features", self.features, methods=["GET"]),
            Route("/features", self.add, methods=["POST"]),
            Route("/features/{name:path}", self.feature, methods=["GET"]),
            Route("/actors/{identity:path}", self.actor, methods=["GET"]),
        ]

    async def features(self, request: Request) -> Response:
        """Return all features, or those that `keys` names."""
        held = await self.snapshot(request)
        query, flags = request.query_params, held.snapshot.flags
        asked = query.getlist("keys[]") or _listed(query.get("keys"))
        gates, names = (
            query.get(each, "").lower() != "true"
            for each in ("exclude_gates", "exclude_gate_names")
        )
        found = [
            wire.feature_json(flags[name], gates=gates, names=names)
            for name in (sorted(flags) if asked is None else asked)
            if name in flags
        ]
        return tagged_answer(request, {"features": found})

    async def feature(self, request: Request) -> Response:
        """Return one feature."""
        gates = request.query_params.get("exclude_gates", "").lower() != "true"
        return await self.shown(request, request.path_params["name"], gates=gates)

    async def add(self, request: Request) -> Response:
        """Return the feature: a flag that is defined need not be added."""
        name = (await read_parameters(request)).get("name", "")
        if not name:
            raise Invalid(wire.NO_NAME)
        return await self.shown(request, name)

    async def actor(self, request: Request) -> Response:
        """Return what each feature answers for an actor."""
        held, identity = await self.snapshot(request), request.path_params["identity"]
        asked = _listed(request.query_params.get("keys"))
        names = sorted(held.compiled.flags) if asked is None else asked
        answers = {name: {"enabled": _answer(held, name, identity)} for name in names}
        return JSONResponse({"flipper_id": identity, "features": answers})

    async def shown(self, request: Request, name: str, *, gates: bool = True) -> Response:
        """Return one feature.

        Raises:
            Invalid: there is none of this name.
        """
        flags = (await self.snapshot(request)).snapshot.flags
        if name not in flags:
            raise Invalid(wire.NOT_FOUND)
        return JSONResponse(wire.feature_json(flags[name], gates=gates))

    async def snapshot(self, request: Request) -> Held:
        """Return the snapshot that the request asks about."""
        return await self.held.of(self.environment(request))

    def environment(self, request: Request) -> str:
        """Return the environment that the request asks about."""
        return environment_of(request, self.places)


def _answer(held: Held, name: str, identity: str) -> bool:
    found = held.compiled.flags.get(name)
    if found is None:
        return False
    try:
        return evaluate(found, (Actor(identity),), held.snapshot.version).value
    except FlagstaffError:  # one flag that cannot be evaluated does not take the others along
        return False


def _listed(keys: str | None) -> list[str] | None:
    return None if keys is None else [each for each in keys.split(",") if each]


def _tokens(request: HTTPConnection) -> Iterable[str]:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    password = ""
    if scheme.lower() == "basic":
        try:
            password = base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            password = ""
    return (bearer(request.headers), password)


def _unauthorized() -> Response:
    body = {"code": 0, "message": "The token is missing or wrong.", "more_info": ""}
    return JSONResponse(body, 401, headers={"www-authenticate": "Bearer"})


def _invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, Invalid):
        raise error
    return JSONResponse({**error.problem.to_json(), "message": str(error)}, error.problem.status)


def _failed(_: Request, error: Exception) -> Response:
    if not isinstance(error, FlagstaffError):
        raise error
    known = wire.NOT_FOUND.code if isinstance(error, NotFound) else 0
    body = {"code": known, "message": error.message, "more_info": remedy(error)}
    return JSONResponse(body, status_of(error))


def _no_route(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    body = {"code": 0, "message": error.detail, "more_info": wire.MORE}
    return JSONResponse(body, error.status_code, headers=error.headers)


HANDLERS: Final[dict[type[Exception], ExceptionHandler]] = {
    Invalid: _invalid,
    FlagstaffError: _failed,
    HTTPException: _no_route,
}


def build_flipper_reads(
    places: Places, held: Holding, access: Admitting, changing: Endpoint
) -> ASGIApp:
    """Return the application for `/flipper/api` where `changing` answers what would change it."""
    methods = ["POST", "PUT", "PATCH", "DELETE"]
    routes = [
        *Reading(places=places, held=held).routes(),
        Route("/{path:path}", changing, methods=methods),
    ]
    return behind_door(Starlette(routes=routes, exception_handlers=HANDLERS), access)


def behind_door(app: ASGIApp, access: Admitting) -> ASGIApp:
    """Return the application for those only who show a token as Flipper's clients do."""
    return Door(app, access, _tokens, _unauthorized)
