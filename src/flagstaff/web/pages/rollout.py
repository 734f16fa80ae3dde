"""Where does one rollout stand, on what evidence, and what can I do about it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
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
from flagstaff.services import views
from flagstaff.services.views import RolloutView, StepView
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.offers import offers
from flagstaff.web.site import Site

Building = Callable[[int, Form], Command]
LOG = 60


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

    def decide(request: Request, form: Form) -> Response:
        number, verb = request.path_params["number"], request.path_params["verb"]
        if verb not in VERBS:
            raise NotFound(f"a rollout cannot {verb}", hint=f"it can {', '.join(VERBS)}, abort")
        try:
            return site.carry_out(request, VERBS[verb](number, form), then=f"/rollouts/{number}")
        except FlagstaffError as error:
            return _page(site, request, form=form, error=error)

    return [
        Route("/rollouts/{number:int}", show, methods=["GET"]),
        Route("/rollouts/{number:int}/issue", raw_issue, methods=["GET"]),
        Route("/rollouts/{number:int}/{verb}", posting(decide), methods=["POST"]),
    ]


def _page(
    site: Site, request: Request, *, form: Form = EMPTY, error: FlagstaffError | None = None
) -> Response:
    number = request.path_params["number"]
    view = site.ask(request, lambda unit: views.rollout(unit, number))
    log = site.ask(request, lambda unit: views.audit(unit, rollout=number, limit=LOG))
    return site.page(
        request,
        "rollout.html",
        status=site.status_of(error) if error else 200,
        view=view,
        rollout=view.summary,
        stages=_stages(view),
        offers=offers(view),
        log=log,
        typed=form.text("reason"),
        error=error,
        moving=view.summary.phase is Phase.RUNNING,
    )


def _stages(view: RolloutView) -> list[StageView]:
    found = []
    for name, steps in groupby(view.steps, key=lambda step: step.stage):
        together = tuple(steps)
        production = any(step.production for step in together)
        found.append(StageView(name=name, steps=together, production=production))
    return found
