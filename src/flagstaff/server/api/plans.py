"""How does a program read, make and edit plans?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from flagstaff.commands.plan_model import EditRollout, PlanRollout
from flagstaff.server import bodies
from flagstaff.server.api.asking import (
    Ask,
    Caller,
    IfMatch,
    IfNoneMatch,
    Reading,
    body_of,
    if_unchanged,
    tagged,
)
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.api.requests import JsonBody, asks_for, command_from
from flagstaff.services import planning
from flagstaff.services.editing import plan_unchanged


class PlanBody(bodies.Body):
    """The plan of a rollout as YAML; `schedule` says when its steps are taken at the earliest."""

    rollout: int
    flag: str
    plan: str
    schedule: dict[str, Any]


class TemplateBody(bodies.Body):
    """A template; a parameter without a value has to be given one."""

    name: str
    parameters: dict[str, str | None]


def routes(reading: Reading) -> APIRouter:
    """Return the routes about plans."""
    api = APIRouter(tags=["rollouts"], dependencies=JSON_ROUTES)
    services = reading.services

    @api.get("/plans/templates", summary="Templates of plans")
    def templates(by: Caller) -> list[TemplateBody]:
        found = services.ask(planning.templates, by)
        return [TemplateBody(name=name, parameters={**each}) for name, each in found.items()]

    @api.post(
        "/plans",
        summary="Make a rollout of a plan in YAML, or of a template",
        status_code=201,
        openapi_extra=asks_for(PlanRollout),
    )
    def make(ask: Ask, body: JsonBody) -> bodies.OutcomeBody:
        """Read the plan; with `start` it begins at once. `Location` is where the rollout is."""
        outcome = ask.carry_out(services, command_from(PlanRollout, body))
        ask.response.headers["location"] = f"/api/v1/rollouts/{outcome.data['rollout']}"
        return body_of(outcome)

    @api.get(
        "/rollouts/{number}/plan",
        summary="The plan of a rollout, and its schedule",
        response_model=PlanBody,
    )
    def plan(
        by: Caller, response: Response, number: int, known: IfNoneMatch
    ) -> PlanBody | Response:
        found = services.ask(lambda unit: planning.plan_of(unit, number), by)
        same = tagged(response, str(found["tag"]), known)
        return same or PlanBody.model_validate(found)

    @api.put(
        "/rollouts/{number}/plan",
        summary="Give a rollout another plan",
        openapi_extra=asks_for(EditRollout, "rollout"),
    )
    def edit(ask: Ask, number: int, seen: IfMatch, body: JsonBody) -> bodies.OutcomeBody:
        """Edit the plan: where the rollout stands it stays, and nothing is skipped or repeated.

        With `If-Match` only if the plan has still the `ETag` that it had when it was read.
        """
        command = command_from(EditRollout, body, rollout=number)
        condition = if_unchanged(seen, lambda tags: plan_unchanged(number, tags))
        return body_of(ask.carry_out(services, command, condition))

    return api
