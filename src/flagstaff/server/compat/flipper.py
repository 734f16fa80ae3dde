"""How does Flipper's HTTP adapter, or a program that knows its API, read and change flags?

Every defined flag is a feature, set or not, so that Ruby answers a default of "on" with "on".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flagstaff.commands.model import DeleteFlag, SetFlag
from flagstaff.errors import FlagstaffError, NotFound, UsageError
from flagstaff.flags.actor import Actor
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.explain import evaluate
from flagstaff.flags.expression import check_expression
from flagstaff.flags.gates import ZERO
from flagstaff.flags.percentage import parse_percentage
from flagstaff.importers.flipper_export import read_export
from flagstaff.server.access import Access, bearer
from flagstaff.server.compat import flipper_json as wire
from flagstaff.server.compat.asking import (
    Door,
    caller,
    environment_of,
    overruling,
    read_json,
    read_parameters,
    remedy,
)
from flagstaff.server.compat.flipper_import import changes_between
from flagstaff.server.compat.live import Held, Holding, tagged_answer
from flagstaff.server.failures import status_of
from flagstaff.services.services import Services

Command = SetFlag | DeleteFlag


class Invalid(Exception):
    """The request has an error that the protocol has a number for."""

    def __init__(self, problem: wire.Problem, message: str = "") -> None:
        super().__init__(message or problem.message)
        self.problem = problem


def build_flipper(services: Services, held: Holding, access: Access) -> ASGIApp:
    """Return the application for `/flipper/api`."""
    api = Api(services, held)
    app = Starlette(
        routes=[
            Route("/features", api.features, methods=["GET"]),
            Route("/features", api.add, methods=["POST"]),
            Route("/features/{name:path}/clear", api.clear, methods=["DELETE"]),
            Route("/features/{name:path}/{gate}", api.gate, methods=["POST", "DELETE"]),
            Route("/features/{name:path}", api.feature, methods=["GET"]),
            Route("/features/{name:path}", api.remove, methods=["DELETE"]),
            Route("/actors/{identity:path}", api.actor, methods=["GET"]),
            Route("/import", api.take_in, methods=["POST"]),
        ],
        exception_handlers={Invalid: _invalid, FlagstaffError: _failed, HTTPException: _no_route},
    )
    return Door(app, access, _tokens, _unauthorized)


@dataclass(frozen=True, slots=True)
class Api:
    """The routes."""

    services: Services
    held: Holding

    async def features(self, request: Request) -> Response:
        """Return all features, or those that `keys` names."""
        held = await self._held(request)
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
        return await self._shown(request, request.path_params["name"], gates=gates)

    async def add(self, request: Request) -> Response:
        """Return the feature: a flag that is defined need not be added."""
        name = (await read_parameters(request)).get("name", "")
        if not name:
            raise Invalid(wire.NO_NAME)
        return await self._shown(request, name)

    async def remove(self, request: Request) -> Response:
        """Forget what is set; one that was never set, or never was, is as good as removed."""
        command = DeleteFlag(
            flag=request.path_params["name"],
            environments=(self._environment(request),),
            **overruling(request.headers),
        )
        try:
            await self._carry_out(request, [command])
        except NotFound:
            return Response(status_code=204)
        return Response(status_code=204)

    async def clear(self, request: Request) -> Response:
        """Close every gate."""
        await self._change(request, Boolean(value=False))
        return Response(status_code=204)

    async def gate(self, request: Request) -> Response:
        """Open or close one gate."""
        gate, opens = request.path_params["gate"], request.method == "POST"
        if gate == "expression":
            change: GateChange = _expression(await read_json(request) if opens else None)
        else:
            change = _change(gate, await read_parameters(request), opens=opens)
        await self._change(request, change)
        return await self._shown(request, request.path_params["name"])

    async def actor(self, request: Request) -> Response:
        """Return what each feature answers for an actor."""
        held, identity = await self._held(request), request.path_params["identity"]
        asked = _listed(request.query_params.get("keys"))
        names = sorted(held.compiled.flags) if asked is None else asked
        answers = {name: {"enabled": _answer(held, name, identity)} for name in names}
        return JSONResponse({"flipper_id": identity, "features": answers})

    async def take_in(self, request: Request) -> Response:
        """Make every flag what an export says, and forget those that it does not name."""
        try:
            wanted = read_export(await read_json(request))
        except UsageError as exc:
            raise Invalid(wire.NO_IMPORT, f"{wire.NO_IMPORT.message} {exc.message}") from exc
        held, environment = await self._held(request), self._environment(request)
        flags = held.snapshot.flags
        if unknown := sorted(wanted.keys() - flags.keys()):
            text = f"{wire.NO_IMPORT.message} These flags are not defined: {', '.join(unknown)}"
            raise Invalid(wire.NO_IMPORT, text)
        more = overruling(request.headers)
        commands: list[Command] = [
            SetFlag(flag=name, environments=(environment,), change=change, **more)
            for name, gates in wanted.items()
            for change in changes_between(flags[name].gates, gates)
        ]
        commands += [
            DeleteFlag(flag=name, environments=(environment,), **more)
            for name, flag in flags.items()
            if flag.gates is not None and name not in wanted
        ]
        await self._carry_out(request, commands)
        return Response(status_code=204)

    async def _shown(self, request: Request, name: str, *, gates: bool = True) -> Response:
        flags = (await self._held(request)).snapshot.flags
        if name not in flags:
            raise Invalid(wire.NOT_FOUND)
        return JSONResponse(wire.feature_json(flags[name], gates=gates))

    async def _change(self, request: Request, change: GateChange) -> None:
        command = SetFlag(
            flag=request.path_params["name"],
            environments=(self._environment(request),),
            change=change,
            **overruling(request.headers),
        )
        await self._carry_out(request, [command])

    async def _carry_out(self, request: Request, commands: list[Command]) -> None:
        await run_sync(self.services.execute_all, commands, caller(request))

    async def _held(self, request: Request) -> Held:
        return await self.held.of(self._environment(request))

    def _environment(self, request: Request) -> str:
        return environment_of(request, self.services.context)


def _change(gate: str, parameters: dict[str, str], *, opens: bool) -> GateChange:
    match gate:
        case "boolean":
            return Boolean(value=opens)
        case "actors":
            identity = parameters.get("flipper_id", "")
            if not identity:
                raise Invalid(wire.NO_ACTOR)
            return Actors(ids=(identity,), value=opens)
        case "groups":
            name = parameters.get("name", "")
            if not name:
                raise Invalid(wire.NO_NAME)
            # Only applications register groups; Flipper's clients therefore always say this.
            if parameters.get("allow_unregistered_groups") != "true":
                raise Invalid(wire.NO_GROUP)
            return Groups(names=(name,), value=opens)
        case "percentage_of_actors" | "percentage_of_time":
            kind = PercentageOfActors if gate == "percentage_of_actors" else PercentageOfTime
            if not opens:
                return kind(value=ZERO)
            try:
                return kind(value=parse_percentage(parameters.get("percentage", "")))
            except UsageError as exc:
                text = f"{wire.NO_PERCENTAGE.message} {exc.message}"
                raise Invalid(wire.NO_PERCENTAGE, text) from exc
    raise HTTPException(404)


def _expression(condition: Any) -> Expression:
    if condition is not None:
        try:
            check_expression(condition)
        except UsageError as exc:
            text = f"{wire.NO_EXPRESSION.message} {exc.message}"
            raise Invalid(wire.NO_EXPRESSION, text) from exc
    return Expression(value=condition)


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
