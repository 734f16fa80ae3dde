"""How does a program look at rollouts, make them, and say what shall become of them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from flagstaff.commands import model
from flagstaff.commands.model import ImportRollout
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
from flagstaff.server.api.paging import Numbered
from flagstaff.server.api.problems import JSON_ROUTES, answering
from flagstaff.server.api.requests import JsonBody, asks_for, command_from
from flagstaff.server.evidence_bodies import GuardHistoryBody
from flagstaff.services import evidence, views
from flagstaff.services.conditions import rollout_unchanged

ACTIONS: Mapping[str, type[model.Command]] = {
    "start": model.StartRollout,
    "approve": model.ApproveStep,
    "reject": model.RejectStep,
    "skip": model.SkipStep,
    "promote": model.PromoteRollout,
    "pause": model.PauseRollout,
    "resume": model.ResumeRollout,
    "retry": model.RetryRollout,
    "abort": model.AbortRollout,
}
MARKDOWN = "text/markdown"


def routes(reading: Reading) -> APIRouter:
    """Return the routes about rollouts."""
    api = APIRouter(tags=["rollouts"])
    _looking(api, reading)
    _making(api, reading)
    for verb, kind in ACTIONS.items():
        api.add_api_route(
            f"/rollouts/{{number}}/{verb}",
            _action(reading, kind),
            methods=["POST"],
            name=f"{verb}_rollout",
            summary=(kind.__doc__ or "").partition("\n")[0].rstrip("."),
            description=(kind.__doc__ or ""),
            openapi_extra=asks_for(kind, "rollout"),
            dependencies=JSON_ROUTES,
        )
    return api


def _looking(api: APIRouter, reading: Reading) -> None:
    services = reading.services

    @api.get("/rollouts", summary="Rollouts, newest first", dependencies=JSON_ROUTES)
    def rollouts(
        by: Caller, page: Numbered, flag: str | None = None, *, active: bool = False
    ) -> list[bodies.SummaryBody]:
        found = services.ask(
            lambda unit: views.rollouts(
                unit, flag=flag, active=active, below=page.after, limit=page.one_more
            ),
            by,
        )
        return [bodies.SummaryBody.of(each) for each in page.of(found, lambda each: each.id)]

    @api.get(
        "/rollouts/{number}",
        summary="One rollout",
        dependencies=JSON_ROUTES,
        response_model=bodies.RolloutBody,
    )
    def rollout(
        by: Caller, response: Response, number: int, known: IfNoneMatch
    ) -> bodies.RolloutBody | Response:
        found = services.ask(lambda unit: views.rollout(unit, number), by)
        return tagged(response, found.tag, known) or bodies.RolloutBody.whole(found, services.clock)

    @api.get(
        "/rollouts/{number}/issue",
        summary="The issue of a rollout as it reads now",
        response_class=MarkdownResponse,
        dependencies=answering(MARKDOWN),
    )
    def issue(by: Caller, number: int) -> MarkdownResponse:
        found = services.ask(lambda unit: views.rollout(unit, number), by)
        return MarkdownResponse(found.issue)

    @api.get(
        "/rollouts/{number}/evidence",
        summary="How the evidence of each guard has grown",
        dependencies=JSON_ROUTES,
    )
    def grown(by: Caller, number: int, guard: str = "", since: str = "") -> list[GuardHistoryBody]:
        """One entry for each guard, or for one; `since` is a time, or how long ago, such as `2h`.

        Every poll of the last while is there and fewer of those before, never further apart than a
        thirtieth part of their age.
        """
        found = services.ask(
            lambda unit: evidence.history(unit, number, guard=guard, since=since), by
        )
        return [GuardHistoryBody.of(each) for each in found]


def _making(api: APIRouter, reading: Reading) -> None:
    @api.post(
        "/rollouts",
        summary="Make a rollout of an issue's text",
        status_code=201,
        openapi_extra=asks_for(ImportRollout),
        dependencies=JSON_ROUTES,
    )
    def make(ask: Ask, body: JsonBody) -> bodies.OutcomeBody:
        """Import the issue; with `start` it begins at once. `Location` is where the rollout is."""
        outcome = ask.carry_out(reading.services, command_from(ImportRollout, body))
        ask.response.headers["location"] = f"/api/v1/rollouts/{outcome.data['rollout']}"
        return body_of(outcome)


def _action(reading: Reading, kind: type[model.Command]) -> Callable[..., bodies.OutcomeBody]:
    def act(ask: Ask, number: int, seen: IfMatch, body: JsonBody) -> bodies.OutcomeBody:
        command = command_from(kind, body, rollout=number)
        condition = if_unchanged(seen, lambda tags: rollout_unchanged(number, tags))
        return body_of(ask.carry_out(reading.services, command, condition))

    return act


class MarkdownResponse(PlainTextResponse):
    """Markdown, as it stands."""

    media_type = MARKDOWN
