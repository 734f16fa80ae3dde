"""How do clients of Unleash ask? By its client API, also as GitLab offers it, and its frontend API.

Written after the public client specification and what the clients send.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.server.access import Admitting, bearer
from flagstaff.server.compat.asking import ENVIRONMENT, Door, environment_of, read_json, readable
from flagstaff.server.compat.live import Held, Holding, known_tags, tagged_answer
from flagstaff.server.compat.unleash_features import feature_json
from flagstaff.server.compat.unleash_frontend import frontend_context, toggles
from flagstaff.server.failures import status_of
from flagstaff.server.front.ways import Way, answering
from flagstaff.server.places import Places
from flagstaff.services.clock import Clock
from flagstaff.services.telemetry import (
    MOST_UNKNOWN,
    Answered,
    Heartbeat,
    Reporting,
    Unknown,
)

LONGEST_NAME = 255
MOST_COUNTED = 10**12
_TOKEN = re.compile(r"[^:.]*:(?P<environment>[^:.]+)\.(?P<secret>.+)")
"""A token as Unleash writes it, `project:environment.secret`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes work with."""

    places: Places
    held: Holding
    telemetry: Reporting
    clock: Clock


def build_unleash(client: Client, frontend: Frontend, access: Admitting) -> ASGIApp:
    """Return the application for `/api/client` and `/api/frontend`, mounted at `/api`."""
    posts: dict[str, Any] = {"methods": ["POST"]}
    app = Starlette(
        routes=[
            Route("/client/features", client.features),
            Route("/client/features/{name}", client.feature),
            Route("/client/register", client.register, **posts),
            Route("/client/metrics", client.metrics, **posts),
            Route("/frontend", frontend.toggles, methods=["GET", "POST"]),
            Route("/frontend/client/register", client.register, **posts),
            Route("/frontend/client/metrics", client.metrics, **posts),
        ],
        exception_handlers=dict(_HANDLERS),
    )
    return Door(app, access, _tokens, _unauthorized)


def build_frontend(frontend: Frontend, access: Admitting, path: str) -> ASGIApp:
    """Return the application that answers questions at one address, and takes nothing in."""
    app = Starlette(
        routes=[Route(path, frontend.toggles, methods=["GET"])],
        exception_handlers=dict(_HANDLERS),
    )
    return Door(app, access, _tokens, _unauthorized)


def unleash_ways(mount: str, client: Client, frontend: Frontend, access: Admitting) -> list[Way]:
    """Return the short ways to what is asked most."""

    def way(path: str, endpoint: Callable[[Request], Awaitable[Response]], *methods: str) -> Way:
        app = Door(answering(endpoint, _HANDLERS), access, _tokens, _unauthorized)
        return Way(app=app, methods=frozenset(methods), mount=mount, path=path)

    return [
        way("/client/features", client.features, "GET"),
        way("/frontend", frontend.toggles, "GET", "POST"),
    ]


def build_gitlab_unleash(parts: Parts, access: Admitting) -> ASGIApp:
    """Return the application for `/api/v4/feature_flags/unleash/{project_id}`."""
    client = Client(parts, version=1, accepted=200, by_application=True)
    app = Starlette(
        routes=[
            Route("/features", client.features),
            Route("/client/features", client.features),
            Route("/client/register", client.register, methods=["POST"]),
            Route("/client/metrics", client.metrics, methods=["POST"]),
        ],
        exception_handlers=dict(_HANDLERS),
    )
    return Door(app, access, _gitlab_tokens, _unauthorized)


def gitlab_unleash_base(access: Admitting) -> ASGIApp:
    """Return what answers at that address itself, where GitLab offers nothing yet either."""
    answer = JSONResponse({"message": "not supported yet"})
    return Door(answer, access, _gitlab_tokens, _unauthorized)


@dataclass(frozen=True, slots=True)
class Client:
    """The routes of clients that evaluate by themselves.

    Attributes:
        version: of the body's format.
        accepted: the status of an answer to a report.
        by_application: the application's name is the environment's, as at GitLab.
    """

    parts: Parts
    version: int
    accepted: int
    by_application: bool = False
    encoded: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    async def features(self, request: Request) -> Response:
        """Return all flags of the environment."""
        environment = self._environment(request)
        if environment is None:
            return JSONResponse({"version": self.version, "features": []})
        held = await self.parts.held.of(environment)
        tag = held.etag
        headers = {"etag": tag, "cache-control": "no-cache"}
        if tag in known_tags(request):
            return Response(status_code=304, headers=headers)
        kept = self.encoded.get(environment)
        if kept is None or kept[0] != tag:
            kept = self.encoded[environment] = (tag, self._encode(held))
        return Response(kept[1], media_type="application/json", headers=headers)

    async def feature(self, request: Request) -> Response:
        """Return one flag."""
        held = await self.parts.held.of(_environment(request, self.parts.places))
        name, flags = request.path_params["name"], held.snapshot.flags
        if name not in flags:
            return _error(404, "NotFoundError", f"there is no flag {name}")
        return JSONResponse(feature_json(flags[name], flags))

    async def register(self, request: Request) -> Response:
        """Take in an application's sign of life."""
        await self._report(request)
        return Response(status_code=self.accepted)

    async def metrics(self, request: Request) -> Response:
        """Take in what an application's flags answered."""
        await self._report(request)
        return Response(status_code=self.accepted)

    async def _report(self, request: Request) -> None:
        body = await read_json(request)
        if not isinstance(body, dict):
            raise UsageError("the body is not a JSON object")
        environment = self._environment(request)
        if environment is None:
            return
        held = await self.parts.held.of(environment)
        beat = Heartbeat(
            instance=_name(body, "instanceId") or _name(body, "appName"),
            environment=environment,
            sdk=_name(body, "sdkVersion") or request.headers.get("unleash-sdk", "")[:LONGEST_NAME],
            application=_name(body, "appName"),
            at=self.parts.clock.now(),
        )
        flags, counts = held.snapshot.flags, list(_counts(body))
        answers = [
            Answered(environment=environment, flag=flag, value=value, gate="", count=count)
            for flag, value, count in counts
            if flag in flags
        ]
        unknown = [
            Unknown(environment=environment, flag=flag, application=beat.application, count=count)
            for flag, _, count in counts
            if flag not in flags
        ]
        self.parts.telemetry.report(beat, answers, unknown[:MOST_UNKNOWN])

    def _environment(self, request: Request) -> str | None:
        places = self.parts.places
        if not self.by_application or "environment" in request.path_params:
            return _environment(request, places)
        named = request.headers.get("unleash-appname") or request.query_params.get("app_name")
        if named is None:
            return _environment(request, places)
        # A scope that is no environment has no flags, as at GitLab.
        found = places.stages.get(named, named)
        if found not in places.environments:
            return None
        return readable(request, places, found)

    def _encode(self, held: Held) -> bytes:
        flags = held.snapshot.flags
        features = [feature_json(flags[name], flags) for name in sorted(flags)]
        return json.dumps({"version": self.version, "features": features}).encode()


@dataclass(frozen=True, slots=True)
class Frontend:
    """The route of clients that have their flags evaluated here."""

    parts: Parts

    async def toggles(self, request: Request) -> Response:
        """Return the flags that are on."""
        held = await self.parts.held.of(_environment(request, self.parts.places))
        context = await frontend_context(request)
        return tagged_answer(request, {"toggles": toggles(held, context)})


def _environment(request: Request, places: Places) -> str:
    """Return the environment: of the address, else of the token, else as everywhere."""
    if "environment" not in request.path_params and ENVIRONMENT not in request.headers:
        written = _TOKEN.fullmatch(request.headers.get("authorization", ""))
        if written and written["environment"] != "*":
            return readable(request, places, written["environment"])
    return environment_of(request, places)


def _counts(body: dict[str, Any]) -> Iterator[tuple[str, bool, int]]:
    bucket = body.get("bucket")
    counted = bucket.get("toggles") if isinstance(bucket, dict) else None
    for flag, counts in counted.items() if isinstance(counted, dict) else ():
        if len(flag) > LONGEST_NAME or not isinstance(counts, dict):
            continue
        for word, value in (("yes", True), ("no", False)):
            count = counts.get(word)
            if isinstance(count, int) and 0 < count <= MOST_COUNTED:
                yield flag, value, count


def _name(found: dict[str, Any], *keys: str) -> str:
    said = (found.get(key) for key in keys)
    return next((each[:LONGEST_NAME] for each in said if isinstance(each, str) and each), "")


def _tokens(request: HTTPConnection) -> Iterable[str]:
    shown = request.headers.get("authorization", "").strip()
    written = _TOKEN.fullmatch(shown)
    return (shown, written["secret"] if written else "", bearer(request.headers))


def _gitlab_tokens(request: HTTPConnection) -> Iterable[str]:
    header = request.headers.get("unleash-instanceid", "")
    return (header, request.query_params.get("instance_id", ""), bearer(request.headers))


def _unauthorized() -> Response:
    return _error(401, "Unauthorized", "the token is missing or wrong")


def _failed(_: Request, error: Exception) -> Response:
    if not isinstance(error, FlagstaffError):
        raise error
    return _error(status_of(error), type(error).__name__, str(error))


def _no_route(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _error(error.status_code, error.detail.replace(" ", ""), error.detail)


def _error(status: int, name: str, message: str) -> Response:
    body = {"name": name, "message": message, "details": [{"message": message}]}
    return JSONResponse(body, status)


_HANDLERS = {FlagstaffError: _failed, HTTPException: _no_route}
