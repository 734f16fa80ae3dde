"""Who are you?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.site import Site

SIGN_IN = "/sign-in"


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request, then=request.query_params.get("then", ""))

    def submit(request: Request, form: Form) -> Response:
        then = form.text("then")
        try:
            headers = site.doors.sign_in(request, form.text("name"), form.raw("password"))
        except FlagstaffError as error:
            return _page(site, request, then=then, form=form, error=error)
        return RedirectResponse(inside(then), 303, headers=headers)

    def sign_out(request: Request, _: Form) -> Response:
        return RedirectResponse(SIGN_IN, 303, headers=site.doors.sign_out(request))

    def begin(request: Request) -> Response:
        then = inside(request.query_params.get("then", ""))
        try:
            return site.doors.begin_sign_on(request, then)
        except FlagstaffError as error:
            return _page(site, request, then=then, error=error)

    def end(request: Request) -> Response:
        try:
            headers, then = site.doors.end_sign_on(request)
        except FlagstaffError as error:
            return _page(site, request, then="", error=error)
        return RedirectResponse(inside(then), 303, headers=headers)

    return [
        Route(SIGN_IN, show, methods=["GET"]),
        Route(SIGN_IN, posting(submit), methods=["POST"]),
        Route("/sign-in/with", begin, methods=["GET"]),
        Route("/sign-in/back", end, methods=["GET"]),
        Route("/sign-out", posting(sign_out), methods=["POST"]),
    ]


def inside(path: str) -> str:
    r"""Return a path of our own pages, the first page for anything else.

    A browser takes `//host` and `/\host` for another host.
    """
    plain = path.startswith("/") and path.isprintable() and "\\" not in path
    return path if plain and not path.startswith("//") else "/"


def _page(
    site: Site,
    request: Request,
    *,
    then: str,
    form: Form = EMPTY,
    error: FlagstaffError | None = None,
) -> Response:
    return site.page(
        request,
        "sign_in.html",
        status=site.status_of(error) if error else 200,
        name=form.text("name"),
        then=inside(then),
        sign_on=site.doors.sign_on,
        error=error,
    )
