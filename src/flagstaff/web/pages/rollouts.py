"""Which rollouts are there?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.services import views
from flagstaff.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return site.page(request, "rollouts.html", rollouts=site.ask(request, views.rollouts))

    return [Route("/rollouts", show)]
