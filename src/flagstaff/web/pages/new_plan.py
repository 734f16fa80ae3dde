"""How does a flag get a rollout without an issue: from a template, or from a plan in YAML?"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.outcome import Outcome
from flagstaff.commands.plan_model import PlanRollout
from flagstaff.errors import FlagstaffError
from flagstaff.services import planning, views
from flagstaff.web.answers import answers, asked_for
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.rehearsing import rehearsing, rollout_of
from flagstaff.web.site import Site

PATH = "/rollouts/new/plan"
START = "start"


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""
    page = partial(_page, site)

    def show(request: Request) -> Response:
        return page(request, EMPTY)

    def command(_request: Request, form: Form) -> PlanRollout:
        return PlanRollout(
            flag=form.text("flag"),
            text=form.raw("plan"),
            template="" if form.raw("plan").strip() else form.text("template"),
            parameters=answers(form.raw("parameters")),
            start=form.text("do") == START,
        )

    submit = rehearsing(site, command, page, rollout_of)
    return [
        Route(PATH, show, methods=["GET"]),
        Route(PATH, posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site,
    request: Request,
    form: Form,
    *,
    error: FlagstaffError | None = None,
    preview: Outcome | None = None,
) -> Response:
    found = site.ask(request, planning.templates)
    flags = site.ask(request, views.flags)
    return site.page(
        request,
        "new_plan.html",
        status=site.status_of(error) if error else 200,
        flags=[each.name for each in flags if each.defined],
        plans=found,
        flag=form.text("flag") or request.query_params.get("flag", ""),
        chosen=form.text("template"),
        plan=form.raw("plan"),
        parameters=_parameters(form, error),
        error=error,
        preview=preview,
    )


def _parameters(form: Form, error: FlagstaffError | None) -> str:
    """Return what was typed, with a line for whatever is still asked for."""
    typed = form.raw("parameters").rstrip("\n")
    return "\n".join(filter(None, (typed, asked_for(error))))
