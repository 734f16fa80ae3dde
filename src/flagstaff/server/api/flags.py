"""How does a program look at flags, change them, and ask what they answer?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from flagstaff.commands.model import DeleteFlag, SetFlag
from flagstaff.commands.roles import Role
from flagstaff.errors import NotFound
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.explain import evaluate, in_words
from flagstaff.flags.snapshot import Snapshot
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
from flagstaff.server.api.paging import Named
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.api.requests import JsonBody, asks_for, command_from
from flagstaff.server.compat.live import asked_about, surroundings
from flagstaff.services import views
from flagstaff.services.audience import answered, audience
from flagstaff.services.conditions import flag_unchanged
from flagstaff.services.permissions import require, visible
from flagstaff.services.snapshots import snapshot

PLACE = "/flags/{name}/environments/{environment}"


def routes(reading: Reading) -> APIRouter:
    """Return the routes about flags."""
    api = APIRouter(tags=["flags"], dependencies=JSON_ROUTES)
    _looking(api, reading)
    _changing(api, reading)
    _asking(api, reading)
    return api


def _looking(api: APIRouter, reading: Reading) -> None:
    services, telemetry = reading.services, reading.telemetry

    @api.get("/flags", summary="Every flag in every environment, by name")
    def flags(
        by: Caller,
        page: Named,
        match: Annotated[str, Query(description="Only names that contain this.")] = "",
    ) -> list[bodies.FlagBody]:
        found = services.ask(
            lambda unit: views.flags(unit, match=match, after=page.after, limit=page.one_more), by
        )
        return [bodies.FlagBody.of(each) for each in page.of(found, lambda each: each.name)]

    @api.get("/flags/{name}", summary="One flag in every environment, and who works with it")
    def flag(by: Caller, name: str) -> bodies.WatchedFlagBody:
        found = services.ask(lambda unit: views.flag(unit, name), by)
        processes = services.ask(lambda unit: audience(unit, telemetry, services.clock), by)
        answers = services.ask(lambda unit: answered(unit, telemetry, name), by)
        return bodies.WatchedFlagBody.watched(found, processes, answers)

    @api.get(PLACE, summary="One flag in one environment", response_model=bodies.PlacedFlagBody)
    def place(
        by: Caller, response: Response, name: str, environment: str, known: IfNoneMatch
    ) -> bodies.PlacedFlagBody | Response:
        services.context.check_environments((environment,))
        found = services.ask(lambda unit: views.flag(unit, name), by)
        cell = services.ask(lambda unit: views.cell(unit, name, environment), by)
        return tagged(response, cell.tag, known) or bodies.PlacedFlagBody.placed(found, cell)


def _changing(api: APIRouter, reading: Reading) -> None:
    services = reading.services

    @api.put(
        f"{PLACE}/gates",
        summary="Change a flag's gates",
        openapi_extra=asks_for(SetFlag, "flag", "environments"),
    )
    def change(
        ask: Ask, name: str, environment: str, seen: IfMatch, body: JsonBody
    ) -> bodies.OutcomeBody:
        """Apply one change; the outcome says who gets the flag now and which gates it closed."""
        command = command_from(SetFlag, body, flag=name, environments=[environment])
        condition = if_unchanged(seen, lambda tags: flag_unchanged(name, environment, tags))
        return body_of(ask.carry_out(services, command, condition))

    @api.delete(f"{PLACE}/gates", summary="Forget a flag's gates, so that its default applies")
    def forget(
        ask: Ask,
        name: str,
        environment: str,
        seen: IfMatch,
        reason: str = "",
        override: Annotated[list[str], Query(description="Policies to overrule.")] = [],  # noqa: B006
    ) -> bodies.OutcomeBody:
        command = DeleteFlag(
            flag=name, environments=(environment,), reason=reason, overrides=tuple(override)
        )
        condition = if_unchanged(seen, lambda tags: flag_unchanged(name, environment, tags))
        return body_of(ask.carry_out(services, command, condition))


def _asking(api: APIRouter, reading: Reading) -> None:
    services = reading.services

    @api.post("/flags/{name}/evaluate", summary="What a flag answers for an actor, and why")
    def ask(by: Caller, name: str, body: bodies.QuestionBody) -> list[bodies.EvaluationBody]:
        """Answer in every environment, or in those named; groups are unknown to the server.

        Nothing is counted, so it is no exposure.
        """
        asked = tuple(body.environments) or services.ask(visible, by)
        require(by, Role.VIEWER, asked)
        found = [services.ask(lambda unit, at=each: snapshot(unit, at), by) for each in asked]  # type: ignore[misc]
        return [_evaluated(each, name, body) for each in found]


def _evaluated(found: Snapshot, name: str, body: bodies.QuestionBody) -> bodies.EvaluationBody:
    actors = asked_about(body.actor, body.attributes)
    flag = compile_snapshot(found, surroundings()).flags.get(name)
    if flag is None:
        raise NotFound(f"there is no flag {name}", hint="GET /api/v1/flags lists them")
    answer = evaluate(flag, actors, found.version)
    return bodies.EvaluationBody(
        environment=found.environment,
        value=answer.value,
        reason=answer.reason,
        gate=answer.gate,
        variant=answer.variant,
        payload=answer.payload,
        version=answer.version,
        words=in_words(flag.flag, actors, answer.gate),
    )
