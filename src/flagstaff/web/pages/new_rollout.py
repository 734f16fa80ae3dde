"""How does an issue become a rollout: paste, look, begin?"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.model import ImportRollout
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.web.answers import answers, asked_for
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.rehearsing import rehearsing, rollout_of
from flagstaff.web.site import Site

TEMPLATE = "new_rollout.html"
START = "start"


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""
    page = partial(_page, site)

    def show(request: Request) -> Response:
        site.let_in(request)
        return page(request, EMPTY)

    submit = rehearsing(site, _command, page, rollout_of)
    return [
        Route("/rollouts/new", show, methods=["GET"]),
        Route("/rollouts/new", posting(submit), methods=["POST"]),
    ]


def _command(_request: Request, form: Form) -> ImportRollout:
    text = form.raw("issue")
    if not text.strip():
        raise UsageError("there is no issue", hint="paste the text of a rollout issue")
    return ImportRollout(
        text=text,
        placeholders=answers(form.raw("placeholders")),
        start=form.text("do") == START,
    )


def _page(
    site: Site,
    request: Request,
    form: Form,
    *,
    error: FlagstaffError | None = None,
    preview: Outcome | None = None,
) -> Response:
    return site.page(
        request,
        TEMPLATE,
        status=site.status_of(error) if error else 200,
        issue=form.raw("issue"),
        placeholders=form.raw("placeholders") or asked_for(error),
        error=error,
        preview=preview,
    )
