"""Which environments are there, and what does an application need to know about one?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from flagstaff.errors import Unavailable
from flagstaff.server import bodies
from flagstaff.server.access import check_reading
from flagstaff.server.api.asking import Caller, IfNoneMatch, Reading, tagged
from flagstaff.server.api.paging import Named
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.streams.encoded import Encoded, encoded_snapshot
from flagstaff.services import places


def routes(reading: Reading) -> APIRouter:
    """Return the routes about environments."""
    api = APIRouter(tags=["environments"], dependencies=JSON_ROUTES)
    services = reading.services

    @api.get("/environments", summary="The environments of the project")
    def environments(by: Caller, page: Named) -> list[bodies.EnvironmentBody]:
        found = services.ask(places.environments, by)
        rest = [each for each in found if each.name > page.after]
        shown = page.of(rest, lambda each: each.name)
        return [bodies.EnvironmentBody.model_validate(each) for each in shown]

    @api.get(
        "/environments/{environment}/snapshot",
        summary="All flags of an environment",
        response_model=bodies.SnapshotBody,
    )
    def snapshot(by: Caller, environment: str, known: IfNoneMatch) -> Response:
        services.context.check_environments((environment,))
        check_reading(by, environment)
        found = _latest(reading, environment)
        answer = Response(found.body, media_type="application/json")
        return tagged(answer, found.etag.strip('"'), known) or answer

    return api


def _latest(reading: Reading, environment: str) -> Encoded:
    """Return the present snapshot, or while the database is away the last good one."""
    try:
        return encoded_snapshot(reading.services, environment)
    except Unavailable:
        kept = reading.last_good(environment)
        if kept is None:
            raise
        return kept
