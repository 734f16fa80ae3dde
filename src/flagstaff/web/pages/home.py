"""What needs me, what is moving, and what changed lately?"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.rollouts.rollout import Phase
from flagstaff.services import views
from flagstaff.services.views import AuditView, RolloutSummary
from flagstaff.web.site import Site

NEEDS_A_PERSON = (Phase.WAITING, Phase.PAUSED, Phase.PENDING, Phase.EXPIRED)
LATELY = 12
FRESH = timedelta(days=7)
"""How long a rollback is news."""


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        found = site.ask(request, views.rollouts)
        now = site.services.clock.now()
        return site.page(
            request,
            "home.html",
            needing=[each for each in found if each.phase in NEEDS_A_PERSON],
            rolled_back=_rolled_back(found, since=now - FRESH),
            moving=[each for each in found if each.phase is Phase.RUNNING],
            any_rollout=bool(found),
            lately=_news(site.ask(request, lambda unit: views.audit(unit, limit=3 * LATELY)))[
                :LATELY
            ],
        )

    return [Route("/", show)]


def _news(log: list[AuditView]) -> list[AuditView]:
    """Leave out that a step is done where the log already says what it did to a flag."""
    told = {(each.rollout, each.step) for each in log if each.action.startswith("flag.")}
    return [
        each for each in log if each.action != "step.done" or (each.rollout, each.step) not in told
    ]


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
