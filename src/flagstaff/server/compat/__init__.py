"""Which protocols of others does the server speak, and under which addresses?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from flagstaff.server.access import Access
from flagstaff.server.compat.flipper import build_flipper
from flagstaff.server.compat.gitlab import build_gitlab
from flagstaff.server.compat.live import Live
from flagstaff.server.compat.ofrep import Evaluating, build_ofrep, ofrep_ways
from flagstaff.server.compat.ofrep_events import Events
from flagstaff.server.compat.unleash import (
    Client,
    Frontend,
    Parts,
    build_gitlab_unleash,
    build_unleash,
    gitlab_unleash_base,
    unleash_ways,
)
from flagstaff.server.hub import Hub
from flagstaff.server.ways import Way
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry

PREFIX = "/environments/{environment}"
"""Before any of the addresses: the same for another environment than the usual one."""

OFREP, UNLEASH = "/ofrep/v1", "/api"
GITLAB_UNLEASH = "/api/v4/feature_flags/unleash/{project_id}"


class Compat(NamedTuple):
    """Every address of the protocols, and the short ways to those that are asked most."""

    routes: list[BaseRoute]
    ways: list[Way]


def build_compat(
    services: Services,
    hub: Hub,
    access: Access,
    telemetry: Telemetry,
    dropped: Callable[[], None],
) -> Compat:
    """Return the addresses of all protocols."""
    context, live = services.context, Live(hub)
    unleash = Parts(context=context, held=live, telemetry=telemetry, clock=services.clock)
    client, frontend = Client(unleash, version=2, accepted=202), Frontend(unleash)
    evaluating, events = Evaluating(context, live, access), Events(context, hub, access, dropped)
    routes = [
        *_mounted(GITLAB_UNLEASH, build_gitlab_unleash(unleash, access)),
        # A mount begins after the slash that clients of the base itself leave out.
        *(Route(each + GITLAB_UNLEASH, gitlab_unleash_base(access)) for each in ("", PREFIX)),
        *_mounted("/api/v4", build_gitlab(services, access)),
        *_mounted(OFREP, build_ofrep(evaluating, events)),
        *_mounted("/flipper/api", build_flipper(services, live, access)),
        # After all other addresses below `/api`.
        *_mounted(UNLEASH, build_unleash(client, frontend, access)),
    ]
    ways = [
        *unleash_ways(UNLEASH, client, frontend, access),
        *ofrep_ways(OFREP, evaluating, events),
    ]
    return Compat(routes, ways)


def _mounted(path: str, app: ASGIApp) -> list[BaseRoute]:
    return [Mount(path, app), Mount(PREFIX + path, app)]
