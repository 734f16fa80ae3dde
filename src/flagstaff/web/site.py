"""What do all pages share?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from flagstaff.commands.model import Command
from flagstaff.commands.roles import Role
from flagstaff.errors import FlagstaffError, NotFound, Problem
from flagstaff.services.clock import FastClock
from flagstaff.services.lives.stale_memory import StaleMemory
from flagstaff.services.person import Person
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry
from flagstaff.services.unit import Unit
from flagstaff.web.doors import Doors
from flagstaff.web.notices import Notices
from flagstaff.web.templating import STATIC, names, templates

T = TypeVar("T")

HTMX = "vendor/htmx.min.js"
CHARTS = "vendor/uplot.min.js"
HTMX_SETTINGS = json.dumps(
    {
        "allowEval": False,
        "includeIndicatorStyles": False,
        "historyEnabled": False,
        "selfRequestsOnly": True,
        "defaultSettleDelay": 0,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The services as the pages see them.

    Args:
        problems: what is wrong with the definitions at the moment.
        person_of: who sits before the browser that sent a request; without roles, nobody.
        doors: how somebody signs in and out.
        status_of: the HTTP status for an error.
    """

    services: Services
    telemetry: Telemetry
    problems: Callable[[], tuple[Problem, ...]]
    person_of: Callable[[Request], Person]
    doors: Doors
    status_of: Callable[[FlagstaffError], int]
    stale: StaleMemory = field(default_factory=StaleMemory)
    notices: Notices = field(default_factory=Notices)
    templates: Environment = field(default_factory=templates)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of all pages and of what they load."""
        from flagstaff.web.pages import every_page  # noqa: PLC0415 the pages know the site

        return [*every_page(self), Mount("/static", StaticFiles(directory=STATIC))]

    def ask(self, request: Request, question: Callable[[Unit], T]) -> T:
        """Return the answer to a question on behalf of whoever sent the request."""
        return self.services.ask(question, self.person_of(request))

    def let_in(self, request: Request) -> None:
        """Let somebody see a page that has nothing to ask.

        Raises:
            Refused: they may not see anything.
        """
        self.ask(request, lambda _: None)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """Return a page; with `?part=NAME` only that part of it, from the same template."""
        name = self._part(template, request.query_params.get("part", ""))
        clock, person = self.services.clock, self.person_of(request)
        inside = person.may_somewhere(Role.VIEWER)  # others learn nothing about the project
        text = self.templates.get_template(name).render(
            **values,
            here=request.url.path,
            person=person,
            project=self.services.context.root.name if inside else "",
            problems=self.problems() if inside else (),
            notice=self.notices.take(request.query_params.get("notice", "")),
            now=clock.now(),
            clock=clock,
            speed=clock.speed if isinstance(clock, FastClock) else 1,
            htmx=(STATIC / HTMX).exists(),
            charts=(STATIC / CHARTS).exists(),
            htmx_settings=HTMX_SETTINGS,
        )
        return HTMLResponse(text, status, headers={"cache-control": "no-store"})

    def _part(self, template: str, part: str) -> str:
        """Return the template of a page's part; those with an underscore are parts of parts."""
        if not part:
            return template
        name = f"{template.removesuffix('.html')}/{part}.html"
        if part.startswith("_") or name not in names():
            raise NotFound(f"the page has no part {part[:40]}", hint="open the page without ?part=")
        return name

    def carry_out(self, request: Request, command: Command, *, then: str) -> Response:
        """Carry out a form's command and show what came of it on the next page."""
        outcome = self.services.execute(command, self.person_of(request))
        return self.following(then, notice=self.notices.leave(outcome))

    def following(self, path: str, *, notice: str) -> Response:
        """Send the browser to the next page."""
        return RedirectResponse(f"{path}?notice={notice}", 303)


def error_page(site: Site) -> Callable[[Request, Exception], Response]:
    """Return what shows an error of ours that a page did not show itself."""

    def show(request: Request, error: Exception) -> Response:
        if not isinstance(error, FlagstaffError):
            raise error
        plain = request.url.remove_query_params(["part", "notice"])
        return site.page(
            Request({**request.scope, "query_string": plain.query.encode()}),
            "error.html",
            status=site.status_of(error),
            error=error,
        )

    return show


def fault_page(site: Site) -> Callable[[Request, Exception], Response]:
    """Return what shows that the fault is ours; the log has the details."""

    def show(request: Request, fault: Exception) -> Response:
        error = FlagstaffError(
            f"Flagstaff itself has a fault here: {type(fault).__name__}",
            hint="the server's log says where; nothing was changed by this request",
        )
        return error_page(site)(request, error)

    return show


def missing_page(site: Site) -> Callable[[Request, Exception], Response]:
    """Return what shows that there is no such page."""

    def show(request: Request, _: Exception) -> Response:
        error = NotFound(
            f"there is no page {request.url.path[:200]}",
            hint="there are Home, Rollouts, Flags, Workers, Releases, Clean-up, Audit, Settings",
        )
        return error_page(site)(request, error)

    return show
