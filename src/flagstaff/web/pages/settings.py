"""Who may do what here, and which programs are let in?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flagstaff.commands.access_model import (
    AddPerson,
    CreateToken,
    InvitePerson,
    ListPeople,
    ListTokens,
    RemovePerson,
    RevokeToken,
    SetRoles,
)
from flagstaff.commands.model import Command
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.roles import EVERYWHERE, MEANINGS, Role
from flagstaff.errors import FlagstaffError, NotFound
from flagstaff.web.forms import EMPTY, Form, posting
from flagstaff.web.site import Site


def _roles(form: Form) -> tuple[str, ...]:
    return tuple(form.text("roles").replace(",", " ").split())


VERBS: dict[str, Callable[[Form], Command]] = {
    "add-person": lambda form: AddPerson(
        name=form.text("name"), roles=_roles(form), email=form.text("email")
    ),
    "roles": lambda form: SetRoles(name=form.text("name"), roles=_roles(form)),
    "invite": lambda form: InvitePerson(name=form.text("name")),
    "remove-person": lambda form: RemovePerson(
        name=form.text("name"), reason=form.reason("remove an account")
    ),
    "create-token": lambda form: CreateToken(
        label=form.text("label"),
        roles=_roles(form),
        machine=form.text("for") == "machine",
        expires=form.text("expires"),
    ),
    "revoke-token": lambda form: RevokeToken(token=form.text("token"), reason=form.text("reason")),
}


def routes(site: Site) -> list[BaseRoute]:
    """Return the page's routes."""

    def show(request: Request) -> Response:
        return settings_page(site, request)

    def submit(request: Request, form: Form) -> Response:
        verb = request.path_params["verb"]
        if verb not in VERBS:
            raise NotFound(f"settings cannot {verb[:40]}", hint=f"they can {', '.join(VERBS)}")
        try:
            outcome = site.services.execute(VERBS[verb](form), site.person_of(request))
        except FlagstaffError as error:
            return settings_page(site, request, form=form, error=error)
        # Shown at once and never again: a secret waits in no notice.
        return settings_page(site, request, outcome=outcome)

    return [
        Route("/settings", show, methods=["GET"]),
        Route("/settings/{verb}", posting(submit), methods=["POST"]),
    ]


def settings_page(
    site: Site,
    request: Request,
    *,
    form: Form = EMPTY,
    outcome: Outcome | None = None,
    error: FlagstaffError | None = None,
) -> Response:
    """Return the page."""
    by = site.person_of(request)
    admin = by.may(Role.ADMIN, EVERYWHERE)
    people = site.services.execute(ListPeople(), by).data["people"] if admin else []
    return site.page(
        request,
        "settings.html",
        status=site.status_of(error) if error else 200,
        admin=admin,
        people=people,
        tokens=site.services.execute(ListTokens(), by).data["tokens"],
        meanings=MEANINGS,
        environments=site.services.context.project.environments,
        typed=form,
        outcome=outcome,
        error=error,
        failed=request.path_params.get("verb", "") if error else "",
    )
