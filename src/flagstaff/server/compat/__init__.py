"""Which protocols of others does the server speak, and under which addresses?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from flagstaff.errors import MissingExtra
from flagstaff.server.access import Access, Admitting
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
from flagstaff.server.front.ways import Way
from flagstaff.server.listening import Beside
from flagstaff.server.settings import Settings
from flagstaff.server.streams.hub import Hub
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry
from flagstaff.services.unit import Context

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
    access: Admitting,
    telemetry: Telemetry,
    dropped: Callable[[], None],
) -> Compat:
    """Return the addresses of all protocols."""
    context, live = services.context, Live(hub)
    unleash = Parts(places=context, held=live, telemetry=telemetry, clock=services.clock)
    client, frontend = Client(unleash, version=2, accepted=202), Frontend(unleash)
    evaluating, events = Evaluating(context, live, access), Events(context, hub, access, dropped)
    routes = [
        *mounted(GITLAB_UNLEASH, build_gitlab_unleash(unleash, access)),
        # A mount begins after the slash that clients of the base itself leave out.
        *(Route(each + GITLAB_UNLEASH, gitlab_unleash_base(access)) for each in ("", PREFIX)),
        *mounted("/api/v4", build_gitlab(services, access)),
        *mounted(OFREP, build_ofrep(evaluating, events)),
        *mounted("/flipper/api", build_flipper(services, live, access)),
        # After all other addresses below `/api`.
        *mounted(UNLEASH, build_unleash(client, frontend, access)),
    ]
    ways = [
        *unleash_ways(UNLEASH, client, frontend, access),
        *ofrep_ways(OFREP, evaluating, events),
    ]
    return Compat(routes, ways)


def build_flagd(settings: Settings, context: Context, hub: Hub, access: Access) -> Beside | None:
    """Return what serves flagd's clients, if there is to be a port for them.

    Raises:
        MissingExtra: gRPC is not installed.
    """
    if settings.flagd_port is None:
        return None
    try:
        from flagstaff.server.compat.flagd import (  # noqa: PLC0415 an extra
            FlagdServer,
            FlagSync,
            server_credentials,
        )
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("flagd", package="grpcio") from exc
    sync = FlagSync(context, hub, access)
    credentials = server_credentials(settings.tls_cert, settings.tls_key)
    return FlagdServer(sync, settings.host, settings.flagd_port, credentials)


def mounted(path: str, app: ASGIApp) -> list[BaseRoute]:
    """Return the routes to an application, also for another environment than the usual one."""
    return [Mount(path, app), Mount(PREFIX + path, app)]
