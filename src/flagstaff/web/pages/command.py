"""What comes of a line of words? The same that a chat message would ask for.

What only looks is answered at once; what would change something is rehearsed first.
"""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.chat_text import words_of
from flagstaff.commands.completing import Values, completions
from flagstaff.commands.grammar import help_text, parse
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import HELP_NAMES
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services import views
from flagstaff.services.permissions import visible
from flagstaff.services.unit import Unit
from flagstaff.web.forms import Form, posting
from flagstaff.web.site import Site

HERE = "/command"
CARRY_OUT = "carry out"
HELP = frozenset({"help", *HELP_NAMES})
RECENT = 30
"""Rollouts whose numbers are offered."""
SHARES = (
    ("true", "for everyone"),
    ("false", "for nobody"),
    *((f"{each}", "percent, with --actors or --random") for each in (10, 25, 50)),
)


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        site.let_in(request)
        return _page(site, request, line=request.query_params.get("line", ""))

    def complete(request: Request) -> Response:
        values = site.ask(request, _values)
        found = completions(request.query_params.get("line", ""), values)
        return JSONResponse([asdict(each) for each in found], headers={"cache-control": "no-store"})

    def submit(request: Request, form: Form) -> Response:
        try:
            return _answered(site, request, form)
        except FlagstaffError as error:
            return _page(site, request, line=form.text("line"), error=error)

    return [
        Route(HERE, show, methods=["GET"]),
        Route(HERE, posting(submit), methods=["POST"]),
        Route(f"{HERE}/completions", complete, methods=["GET"]),
    ]


def _answered(site: Site, request: Request, form: Form) -> Response:
    line = form.text("line")
    if not line:
        raise UsageError("there is no command", hint="write `feature get NAME`, or `help`")
    words = words_of(line)
    if words[0].lower() in HELP or any(word in HELP_NAMES for word in words):
        site.let_in(request)
        text = help_text([word for word in words if word.lower() not in HELP])
        return _page(site, request, line=line, outcome=Outcome(text=text))
    command, person = parse(words), site.person_of(request)
    seen = form.text("do") == CARRY_OUT and form.text("rehearsed") == line
    rehearsed = command.writes and not seen
    outcome = site.services.execute(command, person, dry_run=rehearsed)
    if command.writes and not rehearsed:
        return site.following(HERE, notice=site.notices.leave(outcome))
    return _page(site, request, line=line, outcome=outcome, rehearsed=rehearsed)


def _page(
    site: Site,
    request: Request,
    *,
    line: str,
    outcome: Outcome | None = None,
    rehearsed: bool = False,
    error: FlagstaffError | None = None,
) -> Response:
    return site.page(
        request,
        "command.html",
        status=site.status_of(error) if error else 200,
        line=line,
        outcome=outcome,
        following=outcome.next.removeprefix("flagstaff ") if outcome else "",
        rehearsed=rehearsed,
        error=error,
    )


def _values(unit: Unit) -> Values:
    definitions = unit.context.definitions()
    rollouts = views.rollouts(unit, limit=RECENT)
    environments = [(name, "") for name in visible(unit)]
    return {
        "NAME": [
            (name, definitions[name].type if name in definitions else "undefined")
            for name in views.flag_names(unit)
        ],
        "ID": [(str(each.id), f"{each.flag}, {each.phase}") for each in rollouts],
        "VALUE": SHARES,
        "ENVIRONMENT": environments,
    }
