"""What do applications report?"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from flagstaff.server.access import check_reading
from flagstaff.server.api.asking import Caller, Reading
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.report_bodies import ReportBody, ReportsBody, TakenBody
from flagstaff.services import actors
from flagstaff.services.person import ENGINE


def routes(reading: Reading) -> APIRouter:
    """Return the route for reports."""
    api = APIRouter(tags=["applications"], dependencies=JSON_ROUTES)
    services, telemetry, news = reading.services, reading.telemetry, actors.News()

    def keep(bodies: Sequence[ReportBody]) -> None:
        found = [
            each.report()
            for body in bodies
            if body.environment == actors.PRODUCTION
            for each in body.actors
        ]
        found = news.found(found, services.clock.wall(services.clock.now())) if found else []
        if found:
            with services.unit(ENGINE, write=True) as unit:
                actors.take(unit, found)

    @api.post("/telemetry", summary="An application's sign of life", status_code=202)
    def report(by: Caller, body: ReportBody) -> dict[str, bool]:
        """Take in counts since the last report; to repeat one counts it twice."""
        services.context.check_environments((body.environment,))
        check_reading(by, body.environment)
        keep((body,))
        body.hand_to(telemetry, services.clock)
        return {"ok": True}

    @api.post("/telemetry/batch", summary="What an edge collected", status_code=202)
    def reports(by: Caller, body: ReportsBody) -> TakenBody:
        """Take in the reports of environments that are here; the others are only counted."""
        known = services.context.environments
        taken = [each for each in body.reports if each.environment in known]
        for each in taken:
            check_reading(by, each.environment)
        keep(taken)
        for each in taken:
            each.hand_to(telemetry, services.clock)
        return TakenBody(taken=len(taken), left_out=len(body.reports) - len(taken))

    return api
