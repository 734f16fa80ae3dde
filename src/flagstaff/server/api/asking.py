"""Who asks, how shall it be done, and what comes of it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response

from flagstaff.commands.model import Command
from flagstaff.commands.outcome import Outcome
from flagstaff.server import bodies
from flagstaff.server.access import asker
from flagstaff.server.streams.encoded import Encoded
from flagstaff.services.conditions import Condition
from flagstaff.services.person import Person
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry

REPLAYED = "Idempotency-Replayed"


LastGood = Callable[[str], Encoded | None]
"""Returns the latest snapshot of an environment that could be read, for when none can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What all routes work with."""

    services: Services
    telemetry: Telemetry
    last_good: LastGood


def _caller(request: Request) -> Person:
    return asker(request.scope)


Caller = Annotated[Person, Depends(_caller)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a change is asked for."""

    by: Person
    key: str
    dry_run: bool
    response: Response

    def carry_out(
        self, services: Services, command: Command, condition: Condition | None = None
    ) -> Outcome:
        """Carry out a command and return what came of it."""
        outcome = services.execute(
            command, self.by, dry_run=self.dry_run, key=self.key, condition=condition
        )
        if outcome.replayed:
            self.response.headers[REPLAYED] = "true"
        return outcome


def _asking(
    by: Caller,
    response: Response,
    idempotency_key: Annotated[
        str,
        Header(
            min_length=1,
            max_length=255,
            pattern="^[!-~]+$",
            description="Of the caller's own making, such as a UUID: a repeat with the same key "
            "within 24 hours is answered as the first time, and nothing is done again.",
        ),
    ] = "",
    *,
    dry_run: Annotated[
        bool, Query(description="Do it, answer, and take it back: nothing is changed.")
    ] = False,
) -> Asking:
    return Asking(by=by, key=idempotency_key.strip('"'), dry_run=dry_run, response=response)


Ask = Annotated[Asking, Depends(_asking)]


def body_of(outcome: Outcome) -> bodies.OutcomeBody:
    """Return what came of a command, as JSON."""
    return bodies.OutcomeBody(
        ok=outcome.ok, text=outcome.text, next=outcome.next, data=dict(outcome.data)
    )


Tags = tuple[str, ...] | None


def _if_match(
    if_match: Annotated[
        str,
        Header(
            description="The `ETag` that the thing had when it was looked at; when it has another "
            "one now, nothing is done."
        ),
    ] = "",
) -> Tags:
    return _tags(if_match)


def _if_none_match(
    if_none_match: Annotated[
        str, Header(description="The `ETag` of what the caller has; 304 if it is the same.")
    ] = "",
) -> Tags:
    return _tags(if_none_match.replace("W/", ""))


IfMatch = Annotated[Tags, Depends(_if_match)]
IfNoneMatch = Annotated[Tags, Depends(_if_none_match)]


def _tags(header: str) -> Tags:
    """Return the tags without their quotes; a weak one stays as it is and matches nothing."""
    if not header.strip():
        return None
    return tuple(each.strip().removeprefix('"').removesuffix('"') for each in header.split(","))


def tagged(response: Response, tag: str, known: Tags) -> Response | None:
    """Give the answer its tag; return "not modified" to whoever has the very same."""
    headers = {"etag": f'"{tag}"', "cache-control": "no-cache"}
    if known and (tag in known or "*" in known):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None


def if_unchanged(tags: Tags, condition: Callable[[tuple[str, ...]], Condition]) -> Condition | None:
    """Return the condition that `If-Match` sets, if it is there."""
    return None if tags is None else condition(tags)
