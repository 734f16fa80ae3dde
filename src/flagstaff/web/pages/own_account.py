"""How does somebody change their password, or sign out wherever they are?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.web.forms import Form, posting
from flagstaff.web.pages.settings import settings_page
from flagstaff.web.pages.sign_in import SIGN_IN
from flagstaff.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of what the page Settings offers about one's own account."""

    def change(request: Request, form: Form) -> Response:
        old, new = form.raw("old"), form.raw("new")
        try:
            name = _account(site, request)
            if new != form.raw("again"):
                raise UsageError("the two new passwords differ", hint="type the same one twice")
            headers = site.doors.change_password(request, name, old, new)
        except FlagstaffError as error:
            return settings_page(site, request, error=error)
        return RedirectResponse("/settings", 303, headers=headers)

    def sign_out_everywhere(request: Request, _: Form) -> Response:
        headers = site.doors.sign_out_everywhere(_account(site, request))
        return RedirectResponse(SIGN_IN, 303, headers=headers)

    return [
        Route("/settings/password", posting(change), methods=["POST"]),
        Route("/settings/sign-out-everywhere", posting(sign_out_everywhere), methods=["POST"]),
    ]


def _account(site: Site, request: Request) -> str:
    name = site.person_of(request).account
    if not name:
        raise UsageError(
            "you have no account here, so there is no password and no session",
            hint="make one: flagstaff person add NAME --role admin",
        )
    return name
