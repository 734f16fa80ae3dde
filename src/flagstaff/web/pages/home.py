"""What needs me, what is moving, and what changed lately?"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.rollouts.guard import Verdict
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import views
from flagstaff.services.guard_views import GuardView
from flagstaff.services.running import RolloutRecord
from flagstaff.services.views import RolloutSummary
from flagstaff.web.history import news
from flagstaff.web.site import Site

NEEDS_A_PERSON = (Phase.WAITING, Phase.PAUSED, Phase.PENDING, Phase.EXPIRED)
LATELY = 12
FRESH = timedelta(days=7)
"""How long a rollback is news."""


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""
    known: dict[int, RolloutRecord] = {}

    def show(request: Request) -> Response:
        watched = site.ask(request, lambda unit: views.rollouts_with_guards(unit, known))
        found = [each for each, _ in watched]
        now = site.services.clock.now()
        return site.page(
            request,
            "home.html",
            needing=[each for each in found if each.phase in NEEDS_A_PERSON],
            rolled_back=_rolled_back(found, since=now - FRESH),
            moving=[each for each in found if each.phase is Phase.RUNNING],
            any_rollout=bool(found),
            blind=_blind(watched),
            stale=site.ask(request, site.stale.count),
            lately=news(site.ask(request, lambda unit: views.audit(unit, limit=3 * LATELY)))[
                :LATELY
            ],
        )

    return [Route("/", show)]


def _blind(
    found: list[tuple[RolloutSummary, tuple[GuardView, ...]]],
) -> list[tuple[RolloutSummary, str, str]]:
    """Return the guards of rollouts under way that have no data: rollout, guard and why."""
    return [
        (each, guard.name, guard.evidence)
        for each, guards in found
        if each.started_at and not each.phase.finished
        for guard in guards
        if guard.verdict is Verdict.ERROR
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
