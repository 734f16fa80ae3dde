"""What does one flag do in each environment, and how did it come to that?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError
from flagstaff.services import views
from flagstaff.services.audience import answered, audience
from flagstaff.services.permissions import visible
from flagstaff.web.flag_form import Typed, command_of
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.site import Site

LOG = 50


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, form: Form) -> Response:
        name = request.path_params["name"]
        try:
            return site.carry_out(request, command_of(form, name), then=f"/flags/{name}")
        except FlagstaffError as error:
            return _page(site, request, form=form, error=error)

    return [
        Route("/flags/{name}", show, methods=["GET"]),
        Route("/flags/{name}", posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site, request: Request, *, form: Form = EMPTY, error: FlagstaffError | None = None
) -> Response:
    name = request.path_params["name"]
    services, telemetry = site.services, site.telemetry
    context = services.context
    asked = request.query_params.get("environment")
    known = site.ask(request, visible)
    proposed = (asked,) if asked in known else known[:1]
    return site.page(
        request,
        "flag.html",
        status=site.status_of(error) if error else 200,
        flag=site.ask(request, lambda unit: views.flag(unit, name)),
        definition=context.definitions().get(name),
        root=context.root,
        environments=known,
        rollouts=site.ask(request, lambda unit: views.rollouts(unit, flag=name)),
        log=site.ask(request, lambda unit: views.audit(unit, flag=name, limit=LOG)),
        answers=site.ask(request, lambda unit: answered(unit, telemetry, name)),
        processes=site.ask(request, lambda unit: audience(unit, telemetry, services.clock)),
        typed=Typed.of(form, environments=proposed),
        error=error,
    )
