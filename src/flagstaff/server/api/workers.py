"""How do background jobs go, for programs?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from flagstaff.server.api.asking import Caller, Reading
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.job_bodies import JobsRowBody
from flagstaff.services.permissions import visible


def routes(reading: Reading) -> APIRouter:
    """Return the route about background jobs."""
    api = APIRouter(tags=["applications"], dependencies=JSON_ROUTES)
    services, telemetry = reading.services, reading.telemetry

    @api.get("/workers", summary="Background jobs, a row for each task and queue")
    def workers(
        by: Caller,
        environment: Annotated[str, Query(description="Only of this one.")] = "",
        task: Annotated[str, Query(description="Only of this name.")] = "",
    ) -> list[JobsRowBody]:
        """Return what applications that watch their jobs have reported to this server."""
        if environment:
            services.context.check_environments((environment,))
        known = services.ask(visible, by)
        return [
            JobsRowBody.of(row)
            for row in telemetry.jobs.rows()
            if row.environment in known
            and environment in {"", row.environment}
            and task in {"", row.task}
        ]

    return api
