"""Which rollouts are there?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.services import views
from flagstaff.web.site import Site

ON_A_PAGE = 50
LONG = 10


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        asked = request.query_params.get("below", "")
        below = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < LONG else None
        found = site.ask(
            request, lambda unit: views.rollouts(unit, below=below, limit=ON_A_PAGE + 1)
        )
        shown = found[:ON_A_PAGE]
        return site.page(
            request,
            "rollouts.html",
            rollouts=shown,
            below=below,
            older=shown[-1].id if len(found) > ON_A_PAGE else None,
        )

    return [Route("/rollouts", show)]
