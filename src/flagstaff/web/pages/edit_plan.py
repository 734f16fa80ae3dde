"""How does a rollout that is under way get another plan? Seen as a difference before it is so."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.outcome import Outcome
from flagstaff.commands.plan_model import EditRollout
from flagstaff.errors import FlagstaffError
from flagstaff.services import planning, views
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.notices import last_of
from flagstaff.web.site import Site

APPLY = "apply"
REHEARSED = "to see what would change"
"""Stands where a reason would, while nothing is written."""


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request, EMPTY)

    def submit(request: Request, form: Form) -> Response:
        number = request.path_params["number"]
        apply = form.text("do") == APPLY
        try:
            reason = form.reason("edit a plan") if apply else form.text("reason") or REHEARSED
            command = EditRollout(
                rollout=number, reason=reason, plan=form.raw("plan"), tag=form.text("tag")
            )
            outcome = site.services.execute(command, site.person_of(request), dry_run=not apply)
        except FlagstaffError as error:
            return _page(site, request, form, error=error)
        if not apply:
            return _page(site, request, form, preview=outcome)
        return site.following(f"/rollouts/{number}", notice=site.notices.leave(last_of(outcome)))

    path = "/rollouts/{number:int}/plan"
    return [
        Route(path, show, methods=["GET"]),
        Route(path, posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site,
    request: Request,
    form: Form,
    *,
    error: FlagstaffError | None = None,
    preview: Outcome | None = None,
) -> Response:
    number = request.path_params["number"]
    view = site.ask(request, lambda unit: views.rollout(unit, number))
    now = site.ask(request, lambda unit: planning.plan_of(unit, number))
    return site.page(
        request,
        "edit_plan.html",
        status=site.status_of(error) if error else 200,
        rollout=view.summary,
        plan=form.raw("plan") or now["plan"],
        tag=form.text("tag") or now["tag"],
        reason=form.text("reason"),
        difference=str(preview.data["difference"]).splitlines() if preview else [],
        passes=preview.data["passes"] if preview else [],
        schedule=now["schedule"],
        error=error,
        preview=preview,
    )
