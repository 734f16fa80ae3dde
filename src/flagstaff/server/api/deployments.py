"""How does a pipeline say what it has deployed, and who has deployed what?"""

from __future__ import annotations

from fastapi import APIRouter

from flagstaff.commands.model import RecordDeployment
from flagstaff.server import bodies
from flagstaff.server.api.asking import Ask, Caller, Reading, body_of
from flagstaff.server.api.paging import Numbered
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.api.requests import JsonBody, asks_for, command_from
from flagstaff.services import places


def routes(reading: Reading) -> APIRouter:
    """Return the routes about deployments."""
    api = APIRouter(tags=["deployments"], dependencies=JSON_ROUTES)
    services = reading.services

    @api.get("/deployments", summary="Deployments, newest first")
    def deployments(
        by: Caller, page: Numbered, environment: str | None = None
    ) -> list[bodies.DeploymentBody]:
        found = services.ask(
            lambda unit: places.deployments(
                unit, environment=environment, below=page.after, limit=page.one_more
            ),
            by,
        )
        shown = page.of(found, lambda each: each.id)
        return [bodies.DeploymentBody.model_validate(each) for each in shown]

    @api.post(
        "/deployments",
        summary="Note that a commit now runs somewhere",
        status_code=201,
        openapi_extra=asks_for(RecordDeployment),
    )
    def record(ask: Ask, body: JsonBody) -> bodies.OutcomeBody:
        """Record it; rollouts that wait for this commit go on."""
        return body_of(ask.carry_out(services, command_from(RecordDeployment, body)))

    return api
