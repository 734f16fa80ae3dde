"""How do background jobs go under each name, and which of them may not run?"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.job_model import SwitchJobs
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.flags.percentage import parse_percentage
from flagstaff.flags.switches import is_task_name
from flagstaff.services.drain_proofs import drain_proofs
from flagstaff.services.jobs import JobsRow
from flagstaff.services.permissions import visible
from flagstaff.services.switches import Standing, standing
from flagstaff.web.confirming import asked, carry_out
from flagstaff.web.forms import Form, posting
from flagstaff.web.site import Site

ACTIONS = ("run", "defer", "drop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The jobs of one name in one environment: a row for each queue, and what keeps them back."""

    environment: str
    name: str
    rows: tuple[JobsRow, ...] = ()
    switch: Standing | None = None

    @property
    def flag(self) -> str:
        """Return the flag that decides between this name and another."""
        return next((row.flag for row in self.rows if row.flag), "")

    @property
    def variant(self) -> str:
        """Return which of the two names it is."""
        return next((row.variant for row in self.rows if row.flag), "")


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return _page(site, request)

    def submit(request: Request, form: Form) -> Response:
        try:
            return carry_out(site, request, form, asked(_command(form), "/workers"))
        except FlagstaffError as error:
            return _page(site, request, error=error)

    return [
        Route("/workers", show, methods=["GET"]),
        Route("/workers", posting(submit), methods=["POST"]),
    ]


def _page(site: Site, request: Request, *, error: FlagstaffError | None = None) -> Response:
    known = site.ask(request, visible)
    stands = site.ask(request, lambda unit: standing(unit, known))
    tasks = _tasks([row for row in site.telemetry.jobs.rows() if row.environment in known], stands)
    flags = {each.flag for each in tasks} - {""}
    return site.page(
        request,
        "workers.html",
        status=site.status_of(error) if error else 200,
        error=error,
        environments={
            name: [each for each in tasks if each.environment == name]
            for name in reversed(known)  # what matters most comes first
            if any(each.environment == name for each in tasks)
        },
        proofs=site.ask(request, lambda unit: drain_proofs(unit, flags)),
        forgotten={each.task for each in stands if each.is_forgotten(site.services.clock.now())},
    )


def _tasks(rows: list[JobsRow], stands: list[Standing]) -> list[Task]:
    found = {(row.environment, row.task): list[JobsRow]() for row in rows}
    for row in rows:
        found[row.environment, row.task].append(row)
    switches = {(each.environment, each.task): each for each in stands}
    tasks = (
        Task(
            environment=place[0],
            name=place[1],
            rows=tuple(found.get(place, ())),
            switch=switches.get(place),
        )
        for place in sorted(found.keys() | switches.keys())
    )
    # The two names of a job stand below each other.
    return sorted(tasks, key=lambda each: (each.environment, each.flag, each.name))


def _command(form: Form) -> SwitchJobs:
    task, action, environment = form.text("task"), form.text("do"), form.text("environment")
    if not is_task_name(task):
        raise UsageError(f"{task[:60]!r} is no name of a job", hint="choose one from the list")
    if action not in ACTIONS:
        raise UsageError(f"{action[:20]!r} is nothing to do", hint="use the buttons of the page")
    share = form.text("percentage").removesuffix("%").strip() or "100"
    return SwitchJobs(
        task=task,
        action=action,
        environments=(environment,),
        percentage=parse_percentage(share),
        reason=form.reason(f"{action} jobs"),
    )
