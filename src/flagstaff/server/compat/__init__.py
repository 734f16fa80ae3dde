"""Which protocols of others does the server speak, and under which addresses?"""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from flagstaff.server.access import Access
from flagstaff.server.compat.gitlab import build_gitlab
from flagstaff.server.compat.live import Live
from flagstaff.server.compat.ofrep import build_ofrep
from flagstaff.server.hub import Hub
from flagstaff.services.services import Services

PREFIX = "/environments/{environment}"
"""Before any of the addresses: the same for another environment than the usual one."""


def compat_routes(services: Services, hub: Hub, access: Access) -> list[BaseRoute]:
    """Return the routes of all protocols."""
    live = Live(hub)
    return [
        *_mounted("/api/v4", build_gitlab(services, access)),
        *_mounted("/ofrep/v1", build_ofrep(services.context, live, hub, access)),
    ]


def _mounted(path: str, app: ASGIApp) -> list[BaseRoute]:
    return [Mount(path, app), Mount(PREFIX + path, app)]
