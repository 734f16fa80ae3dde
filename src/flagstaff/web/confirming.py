"""Did the person mean production? What changes something there is shown before it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from flagstaff.commands.job_model import SwitchJobs
from flagstaff.commands.model import Command, DeleteFlag, SetFlag
from flagstaff.services.views import RolloutView, StepView
from flagstaff.web.forms import Form
from flagstaff.web.site import Site
from flagstaff.web.step_words import CHANGES_FLAGS, next_change
from flagstaff.web.templating import PRODUCTION

FIELD, SURE = "sure", "production"
GOES_ON = frozenset({"start", "approve", "promote", "skip"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a form asks for, and in which environments it would change something.

    `then` is the page after it, and the one to go back to; `next_change` is what a rollout does to
    the flag next.
    """

    command: Command
    environments: Iterable[str]
    then: str
    next_change: str = ""


def asked(command: SetFlag | DeleteFlag | SwitchJobs, then: str) -> Asked:
    """Return a command that names its environments."""
    return Asked(command=command, environments=command.environments, then=then)


def carry_out(site: Site, request: Request, form: Form, what: Asked) -> Response:
    """Carry out what a form asks for; in production only after the person has seen what it does."""
    if PRODUCTION not in what.environments or form.text(FIELD) == SURE:
        return site.carry_out(request, what.command, then=what.then)
    outcome = site.services.execute(what.command, site.person_of(request), dry_run=True)
    return site.page(
        request,
        "confirm.html",
        outcome=outcome,
        next_change=what.next_change,
        fields=[(name, value) for name, value in form.pairs() if name != FIELD],
        field=FIELD,
        sure=SURE,
        back=what.then,
    )


def decided(view: RolloutView, verb: str, command: Command) -> Asked:
    """Return a decision about a rollout; what it lets the rollout do next is what it changes."""
    coming = _coming(view, verb)
    production = coming is not None and coming.production
    return Asked(
        command=command,
        environments=(PRODUCTION,) if production else (),
        then=f"/rollouts/{view.summary.id}",
        next_change=coming.title if coming else "",
    )


def _coming(view: RolloutView, verb: str) -> StepView | None:
    """Return the change of the flag that a rollout is let make."""
    step = view.summary.step
    if verb == "start" and step is not None and step.kind in CHANGES_FLAGS:
        return step
    return next_change(view) if verb in GOES_ON else None
