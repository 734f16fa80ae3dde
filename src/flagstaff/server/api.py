"""What can programs ask for? `/api/v1`, with types and an OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from flagstaff.commands.codec import decode_command
from flagstaff.commands.model import HIGHEST, AuditSearch
from flagstaff.errors import FlagstaffError, Unavailable, UsageError
from flagstaff.server import bodies
from flagstaff.server.access import asker, check_reading
from flagstaff.server.encoded import Encoded, encoded_snapshot
from flagstaff.server.failures import TITLES, problem, response_for
from flagstaff.services import views
from flagstaff.services.audience import audience
from flagstaff.services.person import Person
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry

MOST_AUDIT = 1_000


def _caller(request: Request) -> Person:
    return asker(request.scope)


def _wanted(
    flag: str = "",
    person: str = "",
    environment: str = "",
    action: str = "",
    since: str = "",
    until: str = "",
) -> AuditSearch:
    return AuditSearch(
        flag=flag,
        person=person,
        environment=environment,
        action=action,
        since=since,
        until=until,
    )


EVERYTHING = AuditSearch()
Caller = Annotated[Person, Depends(_caller)]


LastGood = Callable[[str], Encoded | None]
"""Returns the latest snapshot of an environment that could be read, for when none can be."""


def build_api(services: Services, telemetry: Telemetry, last_good: LastGood) -> FastAPI:
    """Return the application for `/api/v1`."""
    api = FastAPI(
        title="Flagstaff",
        version=version("flagstaff"),
        description="Feature-flag rollouts that run themselves.",
        # The usual pages for reading the description load scripts from foreign hosts.
        docs_url=None,
        redoc_url=None,
    )
    _explain_errors(api)
    _commands(api, services)
    _rollouts(api, services)
    _flags(api, services, telemetry)
    _snapshots(api, services, last_good)
    _applications(api, services, telemetry)
    return api


def _commands(api: FastAPI, services: Services) -> None:
    @api.post("/commands", summary="Carry out a command")
    def carry_out(
        command: Annotated[dict[str, Any], Body()], by: Caller, *, dry_run: bool = False
    ) -> bodies.OutcomeBody:
        """Carry out one command, given as JSON with its `kind`; a dry run is taken back again."""
        outcome = services.execute(decode_command(command), by, dry_run=dry_run)
        return bodies.OutcomeBody(
            ok=outcome.ok, text=outcome.text, next=outcome.next, data=dict(outcome.data)
        )

    @api.get("/audit", summary="What was done, newest first")
    def audit(
        by: Caller,
        rollout: Annotated[int, Query(ge=1, le=HIGHEST)] | None = None,
        before: Annotated[int, Query(ge=1, le=HIGHEST)] | None = None,
        wanted: Annotated[AuditSearch, Depends(_wanted)] = EVERYTHING,
        limit: Annotated[int, Query(ge=1, le=MOST_AUDIT)] = 200,
    ) -> list[bodies.AuditBody]:
        search = replace(wanted, rollout=rollout or 0, before=before or 0)
        found = services.ask(lambda unit: views.searched(unit, search, limit=limit), by)
        return [bodies.AuditBody.of(each) for each in found]


def _rollouts(api: FastAPI, services: Services) -> None:
    @api.get("/rollouts", summary="Rollouts, newest first")
    def rollouts(by: Caller, flag: str | None = None) -> list[bodies.SummaryBody]:
        found = services.ask(lambda unit: views.rollouts(unit, flag=flag), by)
        return [bodies.SummaryBody.of(each) for each in found]

    @api.get("/rollouts/{number}", summary="One rollout")
    def rollout(by: Caller, number: int) -> bodies.RolloutBody:
        found = services.ask(lambda unit: views.rollout(unit, number), by)
        return bodies.RolloutBody.whole(found, services.clock)

    @api.get(
        "/rollouts/{number}/issue",
        summary="The issue of a rollout as it reads now",
        response_class=PlainTextResponse,
    )
    def issue(by: Caller, number: int) -> PlainTextResponse:
        found = services.ask(lambda unit: views.rollout(unit, number), by)
        return PlainTextResponse(found.issue, media_type="text/markdown; charset=utf-8")


def _flags(api: FastAPI, services: Services, telemetry: Telemetry) -> None:
    @api.get("/flags", summary="Every flag in every environment")
    def flags(by: Caller) -> list[bodies.FlagBody]:
        return [bodies.FlagBody.of(each) for each in services.ask(views.flags, by)]

    @api.get("/flags/{name}", summary="One flag in every environment, and who works with it")
    def flag(by: Caller, name: str) -> bodies.WatchedFlagBody:
        found = services.ask(lambda unit: views.flag(unit, name), by)
        processes = services.ask(lambda unit: audience(unit, telemetry, services.clock), by)
        return bodies.WatchedFlagBody.watched(found, processes, telemetry.answers(name))


def _snapshots(api: FastAPI, services: Services, last_good: LastGood) -> None:
    @api.get("/environments/{environment}/snapshot", summary="All flags of an environment")
    def snapshot(environment: str, request: Request, by: Caller) -> Response:
        services.context.check_environments((environment,))
        check_reading(by, environment)
        try:
            found = encoded_snapshot(services, environment)
        except Unavailable:
            kept = last_good(environment)
            if kept is None:
                raise
            found = kept
        headers = {"etag": found.etag, "cache-control": "no-cache"}
        known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
        if found.etag in known:
            return Response(status_code=304, headers=headers)
        return Response(found.body, media_type="application/json", headers=headers)


def _applications(api: FastAPI, services: Services, telemetry: Telemetry) -> None:
    @api.post("/telemetry", summary="An application's sign of life", status_code=202)
    def report(body: bodies.ReportBody, by: Caller) -> dict[str, bool]:
        services.context.check_environments((body.environment,))
        check_reading(by, body.environment)
        beat = body.heartbeat(services.clock.now())
        telemetry.report(beat, body.answers(), body.unknown_flags())
        return {"ok": True}


def _explain_errors(api: FastAPI) -> None:
    @api.exception_handler(FlagstaffError)
    def ours(_: Request, error: FlagstaffError) -> Response:
        return response_for(error)

    @api.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors()
        )
        return response_for(UsageError(wrong, hint="/api/v1/openapi.json describes every request"))

    @api.exception_handler(HTTPException)
    def other(_: Request, error: HTTPException) -> Response:
        detail = TITLES.get(error.status_code, str(error.detail))
        return problem(
            error.status_code,
            detail,
            code="not_found" if error.status_code == 404 else "http",  # noqa: PLR2004
            hint="/api/v1/openapi.json describes every request",
        )

    @api.exception_handler(Exception)
    def fault(_: Request, error: Exception) -> Response:
        return problem(500, f"{type(error).__name__}: see the server's log", code="fault")
