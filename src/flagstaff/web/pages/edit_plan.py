"""How does a rollout that is under way get another plan? Seen as a difference before it is so."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.outcome import Outcome
from flagstaff.commands.plan_model import EditRollout
from flagstaff.errors import FlagstaffError
from flagstaff.services import planning, views
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.rehearsing import is_rehearsal, rehearsing
from flagstaff.web.site import Site

VERB = "edit a plan"
REHEARSED = "to see what would change"
"""Stands where a reason would, while nothing is written."""


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""
    page = partial(_page, site)

    def show(request: Request) -> Response:
        return page(request, EMPTY)

    def command(request: Request, form: Form) -> EditRollout:
        reason = form.text("reason") or REHEARSED if is_rehearsal(form) else form.reason(VERB)
        return EditRollout(
            rollout=request.path_params["number"],
            reason=reason,
            plan=form.raw("plan"),
            tag=form.text("tag"),
        )

    def then(request: Request, _outcome: Outcome) -> str:
        return f"/rollouts/{request.path_params['number']}"

    path = "/rollouts/{number:int}/plan"
    return [
        Route(path, show, methods=["GET"]),
        Route(path, posting(rehearsing(site, command, page, then)), methods=["POST"]),
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
