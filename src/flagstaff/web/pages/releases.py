"""Which commit runs where, and with which flags?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.services.releases import running
from flagstaff.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return site.page(request, "releases.html", places=site.ask(request, running))

    return [Route("/releases", show)]
