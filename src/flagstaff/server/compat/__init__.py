"""Which protocols of others does the server speak, and under which addresses?"""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from flagstaff.server.access import Access
from flagstaff.server.compat.gitlab import build_gitlab
from flagstaff.services.services import Services

PREFIX = "/environments/{environment}"
"""Before any of the addresses: the same for another environment than the usual one."""


def compat_routes(services: Services, access: Access) -> list[BaseRoute]:
    """Return the routes of all protocols."""
    return [*_mounted("/api/v4", build_gitlab(services, access))]


def _mounted(path: str, app: ASGIApp) -> list[BaseRoute]:
    return [Mount(path, app), Mount(PREFIX + path, app)]
