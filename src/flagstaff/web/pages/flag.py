"""What does one flag do in each environment, and how did it come to that?"""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.model import UndoEntry
from flagstaff.errors import FlagstaffError, NotFound, UsageError
from flagstaff.services import views
from flagstaff.services.audience import answered, audience, over_time
from flagstaff.services.explaining import Explained, explained
from flagstaff.services.lives.showing import life_of
from flagstaff.services.permissions import visible
from flagstaff.web.asking import Reach, actors_of
from flagstaff.web.charting import answers_chart
from flagstaff.web.confirming import Asked, asked, carry_out
from flagstaff.web.flag_form import Typed, command_of
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.history import history, news
from flagstaff.web.site import Site

LOG = 50


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, form: Form) -> Response:
        name = request.path_params["name"]
        try:
            return carry_out(site, request, form, asked(command_of(form, name), f"/flags/{name}"))
        except FlagstaffError as error:
            return _page(site, request, form=form, error=error)

    def undo(request: Request, form: Form) -> Response:
        name = request.path_params["name"]
        try:
            command = UndoEntry(entry=_number(form), reason=form.reason("take a change back"))
            entry = site.ask(request, lambda unit: views.entry(unit, command.entry))
            undone = Asked(
                command=command, environments=(entry.environment,), then=f"/flags/{name}"
            )
            return carry_out(site, request, form, undone)
        except FlagstaffError as error:
            return _page(site, request, form=EMPTY, error=error)

    def drawn(request: Request) -> Response:
        name, place = request.path_params["name"], request.query_params.get("environment", "")
        counts = site.ask(request, lambda unit: over_time(unit, site.telemetry, name))
        log = site.ask(request, lambda unit: views.audit(unit, flag=name, limit=LOG))
        data = answers_chart(counts.get(place, []), log)
        return JSONResponse(data, headers={"cache-control": "no-store"})

    return [
        Route("/flags/{name}/answers", drawn, methods=["GET"]),
        Route("/flags/{name}/undo", posting(undo), methods=["POST"]),
        Route("/flags/{name}", show, methods=["GET"]),
        Route("/flags/{name}", posting(submit), methods=["POST"]),
    ]


def _page(
    site: Site, request: Request, *, form: Form = EMPTY, error: FlagstaffError | None = None
) -> Response:
    name = request.path_params["name"]
    services, telemetry = site.services, site.telemetry
    context = services.context
    asked = request.query_params.get("environment")
    known = site.ask(request, visible)
    proposed = (asked,) if asked in known else known[:1]
    try:
        flag = site.ask(request, lambda unit: views.flag(unit, name))
    except NotFound as gone:
        return _gone(site, request, gone)
    log = site.ask(request, lambda unit: views.audit(unit, flag=name, limit=LOG))
    actor, attributes = _asked_about(request)
    explanations: list[Explained] = []
    try:
        if actor:
            explanations = _explained(site, request, actor, attributes)
    except UsageError as wrong:
        error = error or wrong
    return site.page(
        request,
        "flag.html",
        status=site.status_of(error) if error else 200,
        flag=flag,
        actor=actor,
        attributes=attributes,
        explanations=explanations,
        reach=Reach.of(telemetry.asked(name)),
        definition=context.definitions().get(name),
        root=context.root,
        environments=known,
        rollouts=site.ask(request, lambda unit: views.rollouts(unit, flag=name)),
        history=history(news(log), default=flag.default),
        answers=site.ask(request, lambda unit: answered(unit, telemetry, name)),
        over_time=site.ask(request, lambda unit: over_time(unit, telemetry, name)),
        processes=site.ask(request, lambda unit: audience(unit, telemetry, services.clock)),
        life=site.ask(request, lambda unit: life_of(unit, name)),
        typed=Typed.of(form, environments=proposed),
        error=error,
    )


def _gone(site: Site, request: Request, error: NotFound) -> Response:
    """Return what there was of a flag that is neither defined nor set.

    Raises:
        NotFound: there was none of that name.
    """
    name = request.path_params["name"]
    log = site.ask(request, lambda unit: views.audit(unit, flag=name, limit=LOG))
    rollouts = site.ask(request, lambda unit: views.rollouts(unit, flag=name))
    if not log and not rollouts:
        raise error
    changes = [replace(each, can_be_undone=False) for each in history(news(log), default=False)]
    return site.page(
        request, "flag_gone.html", status=404, name=name, rollouts=rollouts, history=changes
    )


def _asked_about(request: Request) -> tuple[str, str]:
    asked = request.query_params
    return asked.get("actor", "").strip(), asked.get("attributes", "").replace("\r\n", "\n")


def _explained(site: Site, request: Request, actor: str, attributes: str) -> list[Explained]:
    name = request.path_params["name"]
    actors = actors_of(actor, attributes)
    return site.ask(request, lambda unit: explained(unit, name, actors))


def _number(form: Form) -> int:
    text = form.text("entry")
    if text.isascii() and text.isdigit():
        return int(text)
    raise UsageError(f"{text[:20]!r} is no entry of the log", hint="undo it from the flag's page")
