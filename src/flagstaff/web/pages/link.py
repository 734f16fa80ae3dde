"""Shall this chat user act as me?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.access_model import LinkChat
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services import chat_linking
from flagstaff.web.forms import Form, posting
from flagstaff.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes; opening it links nothing."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, _: Form) -> Response:
        command = LinkChat(code=request.path_params["code"])
        try:
            outcome = site.services.execute(command, site.person_of(request))
        except FlagstaffError as error:
            return _page(site, request, error=error)
        return _page(site, request, outcome=outcome)

    return [
        Route("/link/{code}", show, methods=["GET"]),
        Route("/link/{code}", posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site,
    request: Request,
    *,
    outcome: Outcome | None = None,
    error: FlagstaffError | None = None,
) -> Response:
    by, user = site.person_of(request), None
    if not by.account and error is None:
        error = UsageError(
            "whoever acts from chat needs an account, and here nobody has one",
            hint="make one: flagstaff person add NAME --role admin",
        )
    if outcome is None and error is None:
        user = site.ask(request, lambda unit: chat_linking.asker(unit, request.path_params["code"]))
    return site.page(
        request,
        "link.html",
        status=site.status_of(error) if error else 200,
        user=user,
        code=request.path_params["code"],
        outcome=outcome,
        error=error,
    )
