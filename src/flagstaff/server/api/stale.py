"""Which flags should go, for programs?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from flagstaff.server.api.asking import Caller, Reading
from flagstaff.server.api.paging import Named
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.stale_bodies import StaleFlagBody
from flagstaff.services.lives.stale import stale_flags


def routes(reading: Reading) -> APIRouter:
    """Return the route about flags that should go."""
    api = APIRouter(tags=["flags"], dependencies=JSON_ROUTES)
    services = reading.services

    @api.get("/stale-flags", summary="The flags that should go, each with every reason")
    def stale(
        by: Caller,
        page: Named,
        reason: Annotated[str, Query(description="Only those with this reason.")] = "",
        kind: Annotated[str, Query(alias="type", description="Only flags of this type.")] = "",
        owner: Annotated[str, Query(description="Only flags of this team.")] = "",
    ) -> list[StaleFlagBody]:
        found = services.ask(
            lambda unit: stale_flags(unit, reason=reason, type_name=kind, owner=owner), by
        )
        rest = [each for each in found if each.name > page.after]
        shown = page.of(rest, lambda each: each.name)
        return [StaleFlagBody.of(each) for each in shown]

    return api
