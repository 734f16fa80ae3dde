"""Where does one rollout stand, on what evidence, and what can I do about it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.model import (
    ApproveStep,
    Command,
    PauseRollout,
    PromoteRollout,
    RejectStep,
    ResumeRollout,
    RetryRollout,
    SkipStep,
    StartRollout,
)
from flagstaff.errors import FlagstaffError, NotFound
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import evidence, views
from flagstaff.services.audience import audience
from flagstaff.services.course import Course, course
from flagstaff.services.evidence import GuardHistory
from flagstaff.services.finding import find_rollout
from flagstaff.services.scheduling import schedule_of
from flagstaff.services.unit import Unit
from flagstaff.services.views import RolloutView, StepView
from flagstaff.web.charting import chart, evidence_chart
from flagstaff.web.confirming import carry_out, decided
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.offers import offers
from flagstaff.web.site import Site
from flagstaff.web.step_words import needs, next_change
from flagstaff.web.tiles import tiles

TABLE_ROWS = 40
"""So many polls of a guard stand in its table."""

Building = Callable[[int, Form], Command]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """The steps of one stage in a row."""

    name: str
    steps: tuple[StepView, ...]
    production: bool

    @property
    def done(self) -> int:
        """Return how many of its steps are over."""
        return sum(step.status.finished for step in self.steps)

    @property
    def over(self) -> bool:
        """Return whether all of its steps are over."""
        return self.done == len(self.steps)


VERBS: dict[str, Building] = {
    "start": lambda number, _: StartRollout(rollout=number),
    "approve": lambda number, form: ApproveStep(
        rollout=number, step=form.text("step"), reason=form.text("reason")
    ),
    "reject": lambda number, form: RejectStep(
        rollout=number, step=form.text("step"), reason=form.reason("reject a step")
    ),
    "skip": lambda number, form: SkipStep(
        rollout=number, step=form.text("step"), reason=form.reason("skip a step")
    ),
    "promote": lambda number, form: PromoteRollout(
        rollout=number, reason=form.reason("end a wait early")
    ),
    "pause": lambda number, form: PauseRollout(rollout=number, reason=form.text("reason")),
    "resume": lambda number, form: ResumeRollout(rollout=number, reason=form.text("reason")),
    "retry": lambda number, form: RetryRollout(rollout=number, reason=form.text("reason")),
}


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def raw_issue(request: Request) -> Response:
        number = request.path_params["number"]
        return PlainTextResponse(site.ask(request, lambda unit: views.rollout(unit, number)).issue)

    def drawn(request: Request) -> Response:
        happened = _course(site, request)
        data = chart(happened, site.services.clock.now())
        return JSONResponse(data, headers={"cache-control": "no-store"})

    def grown(request: Request) -> Response:
        number, guard = request.path_params["number"], request.query_params.get("guard", "")
        found = site.ask(request, lambda unit: evidence.history(unit, number, guard=guard))
        drawn = [evidence_chart(each) for each in found]
        data = (
            drawn[0] if guard else {each.guard: one for each, one in zip(found, drawn, strict=True)}
        )
        return JSONResponse(data, headers={"cache-control": "no-store"})

    def decide(request: Request, form: Form) -> Response:
        number, verb = request.path_params["number"], request.path_params["verb"]
        if verb not in VERBS:
            raise NotFound(f"a rollout cannot {verb}", hint=f"it can {', '.join(VERBS)}, abort")
        try:
            command = VERBS[verb](number, form)
            view = site.ask(request, lambda unit: views.rollout(unit, number))
            return carry_out(site, request, form, decided(view, verb, command))
        except FlagstaffError as error:
            return _page(site, request, form=form, error=error)

    return [
        Route("/rollouts/{number:int}", show, methods=["GET"]),
        Route("/rollouts/{number:int}/issue", raw_issue, methods=["GET"]),
        Route("/rollouts/{number:int}/chart", drawn, methods=["GET"]),
        Route("/rollouts/{number:int}/evidence", grown, methods=["GET"]),
        Route("/rollouts/{number:int}/{verb}", posting(decide), methods=["POST"]),
    ]


def _page(
    site: Site, request: Request, *, form: Form = EMPTY, error: FlagstaffError | None = None
) -> Response:
    number = request.path_params["number"]
    view = site.ask(request, lambda unit: views.rollout(unit, number))
    services, telemetry = site.services, site.telemetry
    ahead = site.ask(request, lambda unit: schedule_of(unit, find_rollout(unit, number).rollout))
    return site.page(
        request,
        "rollout.html",
        status=site.status_of(error) if error else 200,
        view=view,
        rollout=view.summary,
        stages=_stages(view),
        offers=offers(view),
        tiles=tiles(view),
        histories=site.ask(request, lambda unit: _histories(unit, number)),
        table_rows=TABLE_ROWS,
        course=_course(site, request),
        ahead=ahead,
        needs=needs(ahead),
        following=next_change(view),
        processes=site.ask(request, lambda unit: audience(unit, telemetry, services.clock)),
        typed=form.text("reason"),
        error=error,
        moving=view.summary.phase is Phase.RUNNING,
    )


def _histories(unit: Unit, number: int) -> dict[str, GuardHistory]:
    return {each.guard: each for each in evidence.history(unit, number)}


def _course(site: Site, request: Request) -> Course:
    number = request.path_params["number"]
    return site.ask(request, lambda unit: course(unit, number))


def _stages(view: RolloutView) -> list[StageView]:
    found = []
    for name, steps in groupby(view.steps, key=lambda step: step.stage):
        together = tuple(steps)
        production = any(step.production for step in together)
        found.append(StageView(name=name, steps=together, production=production))
    return found
