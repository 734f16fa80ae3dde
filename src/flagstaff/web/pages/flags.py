"""Which flag is on where?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services import views
from flagstaff.services.permissions import visible
from flagstaff.services.undefined import undefined
from flagstaff.web.confirming import asked, carry_out
from flagstaff.web.flag_form import Typed, command_of
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.site import Site

ON_A_PAGE = 100


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, form: Form) -> Response:
        try:
            flag = form.text("flag")
            if not flag:
                raise UsageError("no flag is chosen", hint="choose one from the list")
            return carry_out(site, request, form, asked(command_of(form, flag), "/flags"))
        except FlagstaffError as error:
            return _page(site, request, form=form, error=error)

    return [
        Route("/flags", show, methods=["GET"]),
        Route("/flags", posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site, request: Request, *, form: Form = EMPTY, error: FlagstaffError | None = None
) -> Response:
    match = request.query_params.get("match", "").strip()
    after = request.query_params.get("after", "")
    names = site.ask(request, views.flag_names)
    found = site.ask(
        request, lambda unit: views.flags(unit, match=match, after=after, limit=ON_A_PAGE + 1)
    )
    shown = found[:ON_A_PAGE]
    stale = None
    if "stale" in request.query_params:
        stale = [each for each in site.ask(request, site.stale.flags) if match in each.name]
    context, known = site.services.context, site.ask(request, visible)
    return site.page(
        request,
        "flags.html",
        status=site.status_of(error) if error else 200,
        flags=shown,
        more=shown[-1].name if len(found) > ON_A_PAGE else "",
        after=after,
        matching=sum(match in name for name in names),
        names=names,
        environments=known,
        folder=context.project.flags,
        match=match,
        stale=stale,
        undefined=site.ask(request, lambda unit: undefined(unit, site.telemetry)),
        typed=Typed.of(form, environments=known[:1]),
        error=error,
    )
