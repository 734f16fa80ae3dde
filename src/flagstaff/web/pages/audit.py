"""What was done, by whom and why, and is the log as it was written?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.model import AuditSearch, ExportAudit, VerifyAudit
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import UsageError
from flagstaff.services import views
from flagstaff.services.permissions import visible
from flagstaff.services.views import AuditView
from flagstaff.web.history import Changed, history
from flagstaff.web.site import Site

ON_A_PAGE: Final = 50
WORDS: Final = ("flag", "person", "environment", "action", "since", "until")
NUMBERS: Final = ("rollout", "before")
FORMS: Final = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def export(request: Request) -> Response:
        form = request.query_params.get("format", "jsonl")
        search = asdict(_search(request))
        outcome = site.services.execute(ExportAudit(**search, form=form), site.person_of(request))
        text = f"{outcome.text}\n" if outcome.text else ""
        saved = {"content-disposition": f'attachment; filename="flagstaff-audit.{form}"'}
        return PlainTextResponse(text, media_type=FORMS[form], headers=saved)

    return [Route("/audit", show), Route("/audit/export", export)]


def _page(site: Site, request: Request) -> Response:
    error: UsageError | None = None
    search, found = AuditSearch(), list[AuditView]()
    try:
        search = _search(request)
        limit = ON_A_PAGE + 1
        found = site.ask(request, lambda unit: views.searched(unit, search, limit=limit))
    except UsageError as wrong:
        error = wrong
    shown = found[:ON_A_PAGE]
    wanted = {name: value for name, value in asdict(search).items() if value}
    older = ""
    if len(found) > ON_A_PAGE:
        older = f"/audit?{urlencode({**wanted, 'before': shown[-1].id})}"
    wanted.pop("before", None)
    return site.page(
        request,
        "audit.html",
        status=site.status_of(error) if error else 200,
        error=error,
        typed={name: request.query_params.get(name, "") for name in (*WORDS, *NUMBERS)},
        entries=[_changed(site, each) for each in shown],
        environments=site.ask(request, visible),
        newest=f"/audit?{urlencode(wanted)}" if search.before else "",
        older=older,
        wanted=urlencode(wanted),
        verified=_verified(site, request),
    )


def _search(request: Request) -> AuditSearch:
    words = {name: request.query_params.get(name, "").strip() for name in WORDS}
    return AuditSearch(
        flag=words["flag"],
        person=words["person"],
        environment=words["environment"],
        action=words["action"],
        since=words["since"],
        until=words["until"],
        rollout=_number(request, "rollout"),
        before=_number(request, "before"),
    )


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "").strip().removeprefix("#")
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) < len(str(2**63)):
        return int(text)
    raise UsageError(f"{text[:20]!r} is no number", hint=f"{name}=12 would be one")


def _verified(site: Site, request: Request) -> Outcome | None:
    if not request.query_params.get("verify"):
        return None
    return site.services.execute(VerifyAudit(), site.person_of(request))


def _changed(site: Site, entry: AuditView) -> Changed:
    definition = site.services.context.definitions().get(entry.flag)
    default = definition is not None and definition.default_enabled
    return history((entry,), default=default)[0]
