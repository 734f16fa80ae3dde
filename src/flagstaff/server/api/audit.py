"""How does a program read the audit log, and undo what stands there?"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse

from flagstaff.commands.model import HIGHEST, AuditSearch, ExportAudit, UndoEntry, VerifyAudit
from flagstaff.server import bodies
from flagstaff.server.api.asking import Ask, Caller, Reading, body_of
from flagstaff.server.api.paging import Numbered
from flagstaff.server.api.problems import JSON_ROUTES, answering
from flagstaff.server.api.requests import JsonBody, asks_for, command_from
from flagstaff.services import views

FORMS = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


def _wanted(  # noqa: PLR0913 each is a parameter of the query
    *,
    flag: str = "",
    person: str = "",
    environment: str = "",
    action: str = "",
    since: str = "",
    until: str = "",
    rollout: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
    before: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
) -> AuditSearch:
    return AuditSearch(
        flag=flag,
        person=person,
        environment=environment,
        action=action,
        since=since,
        until=until,
        rollout=rollout or 0,
        before=before or 0,
    )


Wanted = Annotated[AuditSearch, Depends(_wanted)]


def routes(reading: Reading) -> APIRouter:
    """Return the routes about the audit log."""
    api = APIRouter(tags=["audit"])
    _listing(api, reading)
    _single(api, reading)
    return api


def _listing(api: APIRouter, reading: Reading) -> None:
    services = reading.services

    @api.get("/audit", summary="What was done, newest first", dependencies=JSON_ROUTES)
    def audit(by: Caller, wanted: Wanted, page: Numbered) -> list[bodies.AuditBody]:
        below = min(filter(None, (wanted.before, page.after)), default=0)
        search = replace(wanted, before=below)
        found = services.ask(lambda unit: views.searched(unit, search, limit=page.one_more), by)
        return [bodies.AuditBody.of(each) for each in page.of(found, lambda each: each.id)]

    @api.get(
        "/audit/export",
        summary="What was done, oldest first, to keep elsewhere",
        response_class=PlainTextResponse,
        responses={200: {"content": {each: {} for each in FORMS.values()}}},
        dependencies=answering(*FORMS.values()),
    )
    def export(
        by: Caller,
        wanted: Wanted,
        form: Annotated[Literal["jsonl", "csv"], Query(alias="format")] = "jsonl",
    ) -> PlainTextResponse:
        """Return JSON lines, whose chain of hashes can be verified elsewhere, or a table."""
        outcome = services.execute(ExportAudit(**asdict(wanted), form=form), by)
        text = f"{outcome.text}\n" if outcome.text else ""
        return PlainTextResponse(text, media_type=FORMS[form])

    @api.get(
        "/audit/verification",
        summary="Whether the log is as it was written",
        dependencies=JSON_ROUTES,
    )
    def verify(by: Caller) -> bodies.OutcomeBody:
        return body_of(services.execute(VerifyAudit(), by))


def _single(api: APIRouter, reading: Reading) -> None:
    services = reading.services

    @api.get("/audit/{entry}", summary="One entry of the log", dependencies=JSON_ROUTES)
    def entry(by: Caller, entry: int) -> bodies.AuditBody:
        return bodies.AuditBody.of(services.ask(lambda unit: views.entry(unit, entry), by))

    @api.post(
        "/audit/{entry}/undo",
        summary="Put a flag's gates back as they were before an entry",
        openapi_extra=asks_for(UndoEntry, "entry"),
        dependencies=JSON_ROUTES,
    )
    def undo(ask: Ask, entry: int, body: JsonBody) -> bodies.OutcomeBody:
        """Undo it, if the gates are still as they were after it."""
        return body_of(ask.carry_out(services, command_from(UndoEntry, body, entry=entry)))
