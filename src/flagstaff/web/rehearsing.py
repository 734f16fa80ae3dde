"""How does a form show what it would do before it does it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from flagstaff.commands.model import Command
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import FlagstaffError
from flagstaff.web.forms import Form
from flagstaff.web.notices import last_of
from flagstaff.web.site import Site

REHEARSED = frozenset({"", "preview"})
"""What the buttons say that only show."""


class Shown(Protocol):
    """The page with the form: as it was sent, with what is wrong or with what it would do."""

    def __call__(
        self,
        request: Request,
        form: Form,
        *,
        error: FlagstaffError | None = None,
        preview: Outcome | None = None,
    ) -> Response:
        """Return the page."""


def rehearsing(
    site: Site,
    command: Callable[[Request, Form], Command],
    page: Shown,
    then: Callable[[Request, Outcome], str],
) -> Callable[[Request, Form], Response]:
    """Return what answers the form.

    Args:
        site: where its command is carried out.
        command: returns what the form asks for.
        page: shows the form again.
        then: returns the page to go to when it is done.
    """

    def submit(request: Request, form: Form) -> Response:
        rehearsed = is_rehearsal(form)
        try:
            wanted, person = command(request, form), site.person_of(request)
            outcome = site.services.execute(wanted, person, dry_run=rehearsed)
        except FlagstaffError as error:
            return page(request, form, error=error)
        if rehearsed:
            return page(request, form, preview=outcome)
        return site.following(then(request, outcome), notice=site.notices.leave(last_of(outcome)))

    return submit


def is_rehearsal(form: Form) -> bool:
    """Return whether the button that was pressed only shows."""
    return form.text("do") in REHEARSED


def rollout_of(_request: Request, outcome: Outcome) -> str:
    """Return the page of the rollout that was made."""
    return f"/rollouts/{outcome.data['rollout']}"
