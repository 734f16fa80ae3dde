"""Which password do you want?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.web.forms import Form, posting
from flagstaff.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, form: Form) -> Response:
        secret, password = request.path_params["secret"], form.raw("password")
        try:
            if password != form.raw("again"):
                raise UsageError("the two passwords differ", hint="type the same one twice")
            headers = site.doors.set_password(request, secret, password)
        except FlagstaffError as error:
            return _page(site, request, error=error)
        return RedirectResponse("/", 303, headers=headers)

    return [
        Route("/setup/{secret}", show, methods=["GET"]),
        Route("/setup/{secret}", posting(submit), methods=["POST"]),
    ]


def _page(site: Site, request: Request, error: FlagstaffError | None = None) -> Response:
    name = site.doors.invited(request.path_params["secret"])
    return site.page(
        request,
        "setup.html",
        status=site.status_of(error) if error else 200,
        name=name,
        error=error,
    )
