"""Do you really want to roll back, and what will that restore?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.model import AbortRollout
from flagstaff.errors import FlagstaffError
from flagstaff.flags.describe import describe
from flagstaff.services import views
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, form: Form) -> Response:
        number = request.path_params["number"]
        try:
            command = AbortRollout(rollout=number, reason=form.reason("abort"))
            return site.carry_out(request, command, then=f"/rollouts/{number}")
        except FlagstaffError as error:
            return _page(site, request, form=form, error=error)

    path = "/rollouts/{number:int}/abort"
    return [
        Route(path, show, methods=["GET"]),
        Route(path, posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site, request: Request, *, form: Form = EMPTY, error: FlagstaffError | None = None
) -> Response:
    number = request.path_params["number"]
    view = site.ask(request, lambda unit: views.rollout(unit, number))
    flag = site.ask(request, lambda unit: views.flag(unit, view.summary.flag))
    now = {cell.environment: cell.words for cell in flag.cells}
    restored = [
        (saved.environment, now[saved.environment], describe(saved.gates, default=flag.default))
        for saved in view.before
        if saved.environment in view.touched and saved.environment in now
    ]
    return site.page(
        request,
        "abort.html",
        status=site.status_of(error) if error else 200,
        rollout=view.summary,
        restored=restored,
        typed=form.text("reason"),
        error=error,
    )
