"""How does a client of GitLab's Features API change flags?

The shapes and texts are GitLab's. One thing is not: a percentage narrows a flag that is on for
everyone in one step, where GitLab refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.commands.model import DeleteFlag, SetFlag
from flagstaff.commands.roles import Role
from flagstaff.errors import FlagstaffError, NotFound
from flagstaff.flags.gates import Gates
from flagstaff.server.access import Admitting, bearer
from flagstaff.server.compat.asking import (
    Door,
    caller,
    environment_of,
    overruling,
    read_parameters,
    remedy,
)
from flagstaff.server.compat.gitlab_json import definition_json, feature_json
from flagstaff.server.compat.gitlab_words import Invalid, changes, check_parameters
from flagstaff.server.failures import status_of
from flagstaff.services import views
from flagstaff.services.permissions import require
from flagstaff.services.person import Person
from flagstaff.services.services import Services

_STATUS_WORDS = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Entity",
    503: "Service Unavailable",
}


def build_gitlab(services: Services, access: Admitting) -> ASGIApp:
    """Return the application for `/api/v4`."""
    features = Features(services)
    app = Starlette(
        routes=[
            Route("/features", features.listed, methods=["GET"]),
            Route("/features/definitions", features.definitions, methods=["GET"]),
            Route("/features/{name:path}", features.set, methods=["POST"]),
            Route("/features/{name:path}", features.delete, methods=["DELETE"]),
        ],
        exception_handlers={
            Invalid: _invalid,
            FlagstaffError: _failed,
            HTTPException: _no_route,
        },
    )
    return Door(_OneSlash(app), access, _tokens, _unauthorized)


class Features:
    """The routes of the Features API."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listed(self, request: Request) -> Response:
        """Return every flag that is set in the environment."""
        environment = environment_of(request, self._services.context)
        definitions = self._services.context.definitions()
        by = caller(request)
        require(by, Role.VIEWER, (environment,))
        found = self._services.ask(views.flags, by)
        return JSONResponse(
            [
                feature_json(flag.name, cell.gates, definitions.get(flag.name))
                for flag in found
                for cell in flag.cells
                if cell.environment == environment and cell.gates is not None
            ]
        )

    def definitions(self, request: Request) -> Response:
        """Return every definition with every key."""
        context = self._services.context
        found = self._services.ask(lambda _: context.definitions(), caller(request))
        return JSONResponse([definition_json(found[name]) for name in sorted(found)])

    async def set(self, request: Request) -> Response:
        """Change one flag."""
        parameters = await read_parameters(request)
        check_parameters(parameters)
        environment = environment_of(request, self._services.context)
        return JSONResponse(await run_sync(self._set, request, environment, parameters), 201)

    def delete(self, request: Request) -> Response:
        """Forget one flag; one that was never set, or never was, is as good as forgotten."""
        environment = environment_of(request, self._services.context)
        command = DeleteFlag(
            flag=request.path_params["name"],
            environments=(environment,),
            **overruling(request.headers),
        )
        with suppress(NotFound):
            self._services.execute(command, caller(request))
        return Response(status_code=204)

    def _set(
        self, request: Request, environment: str, parameters: dict[str, str]
    ) -> dict[str, object]:
        name, by = request.path_params["name"], caller(request)
        more = overruling(request.headers)
        before = self._gates(name, environment, by)
        commands = [
            SetFlag(flag=name, environments=(environment,), change=change, **more)
            for change in changes(name, parameters, before)
        ]
        self._services.execute_all(commands, by)
        after = self._gates(name, environment, by) or Gates()
        return feature_json(name, after, self._services.context.definitions().get(name))

    def _gates(self, name: str, environment: str, by: Person) -> Gates | None:
        return self._services.ask(lambda unit: views.cell(unit, name, environment), by).gates


class _OneSlash:
    """Takes several slashes for one, as in `/features//name`, and none at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        path = re.sub("/{2,}", "/", scope["path"][len(root) :]).rstrip("/")
        await self._app({**scope, "path": root + (path or "/")}, receive, send)


def _tokens(request: HTTPConnection) -> Iterable[str]:
    return (request.headers.get("private-token", ""), bearer(request.headers))


def _unauthorized() -> Response:
    return JSONResponse({"message": "401 Unauthorized"}, 401)


def _invalid(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def _failed(_: Request, error: Exception) -> Response:
    if not isinstance(error, FlagstaffError):
        raise error
    # GitLab has no "not found" here: to set a flag is to create it, so a bad name is a bad request.
    status = 400 if isinstance(error, NotFound) else status_of(error)
    hint = remedy(error)
    text = f"{error.message} ({hint})" if hint else error.message
    words = _STATUS_WORDS.get(status, "Internal Server Error")
    return JSONResponse({"message": f"{status} {words} - {text}"}, status)


def _no_route(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = {404: "404 Not Found", 405: "405 Not Allowed"}
    text = words.get(error.status_code, f"{error.status_code} {error.detail}")
    return JSONResponse({"error": text}, error.status_code, headers=error.headers)
