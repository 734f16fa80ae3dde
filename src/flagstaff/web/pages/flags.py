"""Which flag is on where?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services.flag_list import FlagList, listed
from flagstaff.services.flag_search import NOBODY, FlagSearch
from flagstaff.services.permissions import visible
from flagstaff.services.undefined import undefined
from flagstaff.web.confirming import asked, carry_out
from flagstaff.web.flag_filter import AGES, SEEN, STATES, FlagFilter
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
    after = request.query_params.get("after", "")
    wanted = FlagFilter.of(request.query_params)
    try:
        found = _found(site, request, wanted, after)
    except UsageError as wrong:
        error, wanted, after = error or wrong, FlagFilter(search=FlagSearch()), ""
        found = _found(site, request, wanted, after)
    stale = None
    if wanted.stale:
        among = {*found.matching}
        stale = [each for each in site.ask(request, site.stale.flags) if each.name in among]
    known = site.ask(request, visible)
    return site.page(
        request,
        "flags.html",
        status=site.status_of(error) if error else 200,
        found=found,
        after=after,
        names=found.names,
        environments=known,
        folder=site.services.context.project.flags,
        wanted=wanted,
        choices={"age": AGES, "seen": SEEN, "state": STATES, "nobody": NOBODY},
        stale=stale,
        undefined=site.ask(request, lambda unit: undefined(unit, site.telemetry)),
        typed=Typed.of(form, environments=known[:1]),
        error=error,
    )


def _found(site: Site, request: Request, wanted: FlagFilter, after: str) -> FlagList:
    return site.ask(request, lambda unit: listed(unit, wanted.search, after=after, limit=ON_A_PAGE))
