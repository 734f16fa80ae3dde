"""How does Flipper's HTTP adapter, or a program that knows its API, change flags?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from flagstaff.commands.model import DeleteFlag, SetFlag
from flagstaff.errors import NotFound, UsageError
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.expression import check_expression
from flagstaff.flags.gates import ZERO
from flagstaff.flags.percentage import parse_percentage
from flagstaff.importers.flipper_export import read_export
from flagstaff.server.access import Admitting
from flagstaff.server.compat import flipper_json as wire
from flagstaff.server.compat.asking import caller, overruling, read_json, read_parameters
from flagstaff.server.compat.flipper_import import changes_between
from flagstaff.server.compat.flipper_reads import HANDLERS, Invalid, Reading, behind_door
from flagstaff.server.compat.live import Holding
from flagstaff.services.services import Services

Command = SetFlag | DeleteFlag


def build_flipper(services: Services, held: Holding, access: Admitting) -> ASGIApp:
    """Return the application for `/flipper/api`."""
    reading = Reading(places=services.context, held=held)
    writing = Writing(services, reading)
    routes = [*writing.routes(), *reading.routes()]
    return behind_door(Starlette(routes=routes, exception_handlers=HANDLERS), access)


@dataclass(frozen=True, slots=True)
class Writing:
    """The routes that change something."""

    services: Services
    reading: Reading

    def routes(self) -> list[BaseRoute]:
        """Return them."""
        return [
            Route("/features/{name:path}/clear", self.clear, methods=["DELETE"]),
            Route("/features/{name:path}/{gate}", self.gate, methods=["POST", "DELETE"]),
            Route("/features/{name:path}", self.remove, methods=["DELETE"]),
            Route("/import", self.take_in, methods=["POST"]),
        ]

    async def remove(self, request: Request) -> Response:
        """Forget what is set; one that was never set, or never was, is as good as removed."""
        command = DeleteFlag(
            flag=request.path_params["name"],
            environments=(self.reading.environment(request),),
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
        return await self.reading.shown(request, request.path_params["name"])

    async def take_in(self, request: Request) -> Response:
        """Make every flag what an export says, and forget those that it does not name."""
        try:
            wanted = read_export(await read_json(request))
        except UsageError as exc:
            raise Invalid(wire.NO_IMPORT, f"{wire.NO_IMPORT.message} {exc.message}") from exc
        held, environment = await self.reading.snapshot(request), self.reading.environment(request)
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

    async def _change(self, request: Request, change: GateChange) -> None:
        command = SetFlag(
            flag=request.path_params["name"],
            environments=(self.reading.environment(request),),
            change=change,
            **overruling(request.headers),
        )
        await self._carry_out(request, [command])

    async def _carry_out(self, request: Request, commands: list[Command]) -> None:
        await run_sync(self.services.execute_all, commands, caller(request))


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
