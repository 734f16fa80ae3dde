"""What do applications report?"""

from __future__ import annotations

from fastapi import APIRouter

from flagstaff.server.access import check_reading
from flagstaff.server.api.asking import Caller, Reading
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.report_bodies import ReportBody


def routes(reading: Reading) -> APIRouter:
    """Return the route for reports."""
    api = APIRouter(tags=["applications"], dependencies=JSON_ROUTES)
    services, telemetry = reading.services, reading.telemetry

    @api.post("/telemetry", summary="An application's sign of life", status_code=202)
    def report(by: Caller, body: ReportBody) -> dict[str, bool]:
        """Take in counts since the last report; to repeat one counts it twice."""
        services.context.check_environments((body.environment,))
        check_reading(by, body.environment)
        beat = body.heartbeat(services.clock.now())
        telemetry.report(beat, body.answers(), body.unknown_flags(), body.questions())
        return {"ok": True}

    return api
