"""What needs me, what is moving, and what changed lately?"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.rollouts.rollout import Phase
from flagstaff.services import views
from flagstaff.services.views import RolloutSummary
from flagstaff.web.site import Site

NEEDS_A_PERSON = (Phase.WAITING, Phase.PAUSED, Phase.PENDING)
LATELY = 12
FRESH = timedelta(days=7)
"""How long a rollback is news."""


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        found = site.ask(views.rollouts)
        now = site.services.clock.now()
        return site.page(
            request,
            "home.html",
            needing=[each for each in found if each.phase in NEEDS_A_PERSON],
            rolled_back=_rolled_back(found, since=now - FRESH),
            moving=[each for each in found if each.phase is Phase.RUNNING],
            any_rollout=bool(found),
            lately=site.ask(lambda unit: views.audit(unit, limit=LATELY)),
        )

    return [Route("/", show)]


def _rolled_back(found: list[RolloutSummary], since: datetime) -> list[RolloutSummary]:
    """Return the rollbacks that are fresh and that no later rollout of the flag has answered."""
    newest: dict[str, RolloutSummary] = {}
    for each in found:
        newest.setdefault(each.flag, each)
    return [
        each
        for each in newest.values()
        if each.phase is Phase.ROLLED_BACK and each.finished_at and each.finished_at > since
    ]
