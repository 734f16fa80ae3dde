"""What can be asked of an edge? Whatever applications read, under the control plane's addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.server.access import Admitting, check_reading
from flagstaff.server.compat import GITLAB_UNLEASH, OFREP, PREFIX, UNLEASH, Compat, mounted
from flagstaff.server.compat.flipper_reads import build_flipper_reads
from flagstaff.server.compat.live import Live
from flagstaff.server.compat.ofrep import Evaluating, build_ofrep, ofrep_ways
from flagstaff.server.compat.ofrep_events import Events
from flagstaff.server.compat.unleash import (
    Client,
    Frontend,
    Parts,
    build_frontend,
    build_gitlab_unleash,
    build_unleash,
    gitlab_unleash_base,
    unleash_ways,
)
from flagstaff.server.edge.clients import Everyone
from flagstaff.server.edge.public import Public
from flagstaff.server.failures import problem, response_for
from flagstaff.server.front.ways import Way
from flagstaff.server.places import Places
from flagstaff.server.report_bodies import ReportBody, ReportsBody
from flagstaff.server.streams.hub import Hub
from flagstaff.server.streams.stream import Snapshots
from flagstaff.services.actors import Report
from flagstaff.services.clock import SystemClock
from flagstaff.services.person import Person
from flagstaff.services.telemetry import Heartbeat, Reporting

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Reports(Reporting, Protocol):
    """Something that takes in reports, and what they say of actors."""

    def report_actors(self, beat: Heartbeat, reports: Iterable[Report]) -> None:
        """Take in what a process noted of actors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Everything that the routes of an edge work with.

    Attributes:
        upstream: the address of the control plane, for whoever wants to change something.
        dropped: is called when a reader of a stream is cut off because it does not read.
    """

    places: Places
    hub: Hub
    access: Admitting
    reports: Reports
    upstream: str
    dropped: Callable[[], None]

    def compat(self, *, public: bool) -> Compat:
        """Return the addresses; in a public edge the frontend API needs no token."""
        hub, access, places = self.hub, self.access, self.places
        live = Live(hub)
        parts = Parts(places=places, held=live, telemetry=self.reports, clock=SystemClock())
        client, frontend = Client(parts, version=2, accepted=202), Frontend(parts)
        evaluating = Evaluating(places, live, access)
        events = Events(places, hub, access, self.dropped)
        stream = Way(
            app=Snapshots(hub, access, places, self.dropped),
            methods=frozenset({"GET"}),
            path="/api/v1/environments/{environment}/stream",
            stream=True,
        )
        ways = [stream, *ofrep_ways(OFREP, evaluating, events)]
        if not public:
            ways += unleash_ways(UNLEASH, client, frontend, access)
        base = gitlab_unleash_base(access)
        changed_there = ("/api/v1", "/api/v4", f"{PREFIX}/api/v4")
        routes = [
            Route("/api/v1/environments/{environment}/snapshot", self.snapshot),
            Route("/api/v1/telemetry", self.report, methods=["POST"]),
            Route("/api/v1/telemetry/batch", self.report, methods=["POST"]),
            *(_public(frontend, places) if public else ()),
            *mounted(GITLAB_UNLEASH, build_gitlab_unleash(parts, access)),
            *(Route(each + GITLAB_UNLEASH, base) for each in ("", PREFIX)),
            *(self._elsewhere(each) for each in changed_there),
            *mounted(OFREP, build_ofrep(evaluating, events)),
            *mounted("/flipper/api", build_flipper_reads(places, live, access, self.changing)),
            *mounted(UNLEASH, build_unleash(client, frontend, access)),
            self._elsewhere(""),
        ]
        return Compat(routes, ways)

    async def snapshot(self, request: Request) -> Response:
        """Return the snapshot of an environment, as the control plane wrote it."""
        by = await self.access.bearer(request.headers)
        if not isinstance(by, Person):
            return by
        environment = request.path_params["environment"]
        try:
            self.places.check_environments((environment,))
            check_reading(by, environment)
            with self.hub.follower(environment) as (_, channel):
                found = await self.hub.latest(channel)
        except FlagstaffError as exc:
            return response_for(exc)
        return found.answer(request.headers)

    async def report(self, request: Request) -> Response:
        """Take in what one application reports, or what another edge collected."""
        by = await self.access.bearer(request.headers)
        if not isinstance(by, Person):
            return by
        try:
            several = request.url.path.endswith("/batch")
            reports = await asyncio.to_thread(_read, await request.body(), several=several)
            taken = [each for each in reports if each.environment in self.places.environments]
            if not several:
                self.places.check_environments((reports[0].environment,))
            for each in taken:
                check_reading(by, each.environment)
        except FlagstaffError as exc:
            return response_for(exc)
        for each in taken:
            each.hand_to(self.reports, SystemClock())
            beat = each.heartbeat(SystemClock().after(-each.seconds_ago))
            self.reports.report_actors(beat, [actors.report() for actors in each.actors])
        body = {"taken": len(taken), "left_out": len(reports) - len(taken)}
        return JSONResponse(body if several else {"ok": True}, 202)

    async def changing(self, _: Request) -> Response:
        """Refuse a change in a protocol that has its own words for that.

        Raises:
            HTTPException: always.
        """
        raise HTTPException(405, f"{_READ_ONLY}; change it at {self.upstream}")

    async def elsewhere(self, request: Request) -> Response:
        """Say where something else is to be had, to those who may know."""
        headers = request.headers
        if await self.access.person(headers, [headers.get("private-token", "")]) is None:
            by = await self.access.bearer(headers)
            if not isinstance(by, Person):
                return by
        hint = f"the control plane is at {self.upstream}"
        if request.method in {"GET", "HEAD"}:
            return problem(404, f"{_READ_ONLY}, and not this", code="not_found", hint=hint)
        return problem(405, _READ_ONLY, code="read_only", hint=hint)

    def _elsewhere(self, path: str) -> BaseRoute:
        return Route(f"{path}/{{path:path}}", self.elsewhere, methods=ALL_METHODS)


_READ_ONLY = "this is a read-only edge, which serves what applications read"


def _public(frontend: Frontend, places: Places) -> list[BaseRoute]:
    path = "/api/frontend"
    app = Public(build_frontend(frontend, Everyone(places.environments), path))
    return [Route(path, app, methods=["GET", "OPTIONS"])]


def _read(body: bytes, *, several: bool) -> list[ReportBody]:
    """Return the reports that a request brings.

    Raises:
        UsageError: they are malformed.
    """
    try:
        if several:
            return ReportsBody.model_validate_json(body).reports
        return [ReportBody.model_validate_json(body)]
    except ValidationError as exc:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in exc.errors(include_url=False, include_input=False)
        )
        hint = "the control plane's /api/v1/openapi.json describes every request"
        raise UsageError(wrong, hint=hint) from exc
