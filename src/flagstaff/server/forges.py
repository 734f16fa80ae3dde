"""Which forges keep issues, and how do their webhooks come in?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.definitions.forges import Forge
from flagstaff.errors import FlagstaffError, Refused, Unavailable
from flagstaff.integrations.forge.clients import Forges
from flagstaff.integrations.forge.effects import IssueEffects
from flagstaff.integrations.forge.following import IssueFollower
from flagstaff.integrations.forge.hooks import Heard, Hooks
from flagstaff.services import forge_issues
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services

log = logging.getLogger(__name__)


class ForgeDesk:
    """Everything that one server has to do with issues on forges."""

    def __init__(self, root: Path, forges: tuple[Forge, ...]) -> None:
        self.forges = Forges(root, forges)
        self._follower: IssueFollower | None = None

    def effects(self, services: Services) -> IssueEffects | None:
        """Return what makes and closes issues; `None` without any forge."""
        return IssueEffects(self.forges, services) if self.forges.forges else None

    def follow(self, services: Services, may: Callable[[], bool]) -> None:
        """Keep issues in step, as long as `may` says that this process shall."""
        if self.forges.forges:
            self._follower = IssueFollower(services, self.forges, may=may)

    def start(self) -> None:
        """Begin to follow."""
        if self._follower is not None:
            self._follower.start()

    def close(self) -> None:
        """Follow no more, and let go of connections."""
        if self._follower is not None:
            self._follower.stop()
        self.forges.close()

    def take(self, heard: Heard) -> None:
        """Take what a webhook tells."""
        if self._follower is not None:
            self._follower.hear(heard)

    def remarks(self) -> list[str]:
        """Return what whoever starts the server should know about its forges."""
        found = []
        for forge in self.forges.forges:
            try:
                with self.forges.client(forge):
                    pass
            except FlagstaffError as exc:
                found.append(f"issues on {forge.host} stay as they are: {exc.message}; {exc.hint}")
        return found


def forge_routes(desk: ForgeDesk, services: Services) -> list[BaseRoute]:
    """Return the route for webhooks."""
    forges = desk.forges
    hooks = {
        forge.name: Hooks(forge, secret, partial(_first_seen, services))
        for forge in forges.forges
        if (secret := forges.webhook_secret(forge))
    }

    def work(name: str, headers: Mapping[str, str], body: bytes) -> Response:
        if name not in hooks:
            return PlainTextResponse("no webhooks are taken from a forge of this name\n", 404)
        try:
            heard = hooks[name].hear(headers, body)
        except Refused as error:
            log.warning("a webhook of the forge %s is refused: %s", name, error)
            return PlainTextResponse("this webhook is not taken\n", 401)
        except Unavailable:
            return PlainTextResponse("later\n", 503)
        except (ValueError, RecursionError) as exc:
            log.warning("a webhook of the forge %s is not understood: %r", name, exc)
            return PlainTextResponse("this webhook is not understood\n", 400)
        if heard is not None:
            desk.take(heard)
        return Response(status_code=202)

    async def endpoint(request: Request) -> Response:
        name: Any = request.path_params["name"]
        return await run_sync(work, name, request.headers, await request.body())

    return [Route("/forges/{name}", endpoint, methods=["POST"])]


def _first_seen(services: Services, request: str) -> bool:
    with services.unit(ENGINE, write=True) as unit:
        return forge_issues.first_seen(unit, request)
