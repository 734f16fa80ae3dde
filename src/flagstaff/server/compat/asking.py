"""Who asks, about which environment, and with which words?"""

from __future__ import annotations

import email.parser
import email.policy
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.errors import FlagstaffError, Forbidden, Refused, Unavailable, UsageError
from flagstaff.server.access import PERSON, Admitting, asker, check_reading
from flagstaff.server.failures import response_for
from flagstaff.server.front.asked import AskedConnection
from flagstaff.server.places import Places
from flagstaff.services.person import Person, Source

ENVIRONMENT = "x-flagstaff-environment"
OVERRIDE = "X-Flagstaff-Override"
REASON = "X-Flagstaff-Reason"
USUAL = "production"

Tokens = Callable[[HTTPConnection], Iterable[str]]
"""Returns what a request shows as its token, in whatever places its protocol knows."""


class Door:
    """Lets only those with the token through to an application of one protocol."""

    def __init__(
        self, app: ASGIApp, access: Admitting, tokens: Tokens, refuse: Callable[[], Response]
    ) -> None:
        self._app = app
        self._access = access
        self._tokens = tokens
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it in the protocol's own words."""
        connection = AskedConnection(scope)
        try:
            person = await self._access.person(connection.headers, self._tokens(connection))
        except Unavailable as exc:
            await response_for(exc)(scope, receive, send)
            return
        if person is None:
            await self._refuse()(scope, receive, send)
            return
        # Other protocols have no way to say that a terminal or a chat is behind them.
        if person.source is not Source.API:
            person = replace(person, source=Source.API)
        scope[PERSON] = person
        await self._app(scope, receive, send)


def caller(request: HTTPConnection) -> Person:
    """Return on whose behalf a program of another protocol speaks."""
    return asker(request.scope)


def overruling(headers: Headers) -> dict[str, Any]:
    """Return the reason and the policies to overrule, as the headers name them."""
    names = headers.get(OVERRIDE, "").split(",")
    return {
        "reason": unquote(headers.get(REASON, "")).strip(),
        "overrides": tuple(bare for each in names if (bare := each.strip().lstrip("-"))),
    }


def remedy(error: FlagstaffError) -> str:
    """Return what to do about an error, for those who ask by another protocol."""
    if not isinstance(error, Refused) or isinstance(error, Forbidden):
        return error.hint
    return f"{error.hint}; here, name it in {OVERRIDE} and say why in {REASON}".lstrip("; ")


def environment_of(request: HTTPConnection, places: Places) -> str:
    """Return the environment that the address or the header names, else the usual one.

    Raises:
        UsageError: there is no such environment.
        Forbidden: the asker may not read its flags.
    """
    named = request.path_params.get("environment") or request.headers.get(ENVIRONMENT)
    return readable(request, places, named or usual_environment(places))


def readable(request: HTTPConnection, places: Places, name: str) -> str:
    """Return the name of an environment whose flags the asker may read.

    Raises:
        UsageError: there is no such environment.
        Forbidden: the asker may not read its flags.
    """
    places.check_environments((name,))
    check_reading(asker(request.scope), name)
    return name


def usual_environment(places: Places) -> str:
    """Return `production`, or the last environment of a project without one of that name."""
    known = places.environments
    return USUAL if USUAL in known else known[-1]


async def read_json(request: Request) -> Any:
    """Return what the body says; an empty one says nothing.

    Raises:
        UsageError: it is no JSON.
    """
    body = await request.body()
    try:
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"the body is not JSON: {exc}", hint="send a JSON object") from exc


async def read_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the query and of the body, which may be JSON or a form, as texts.

    Raises:
        UsageError: the body is malformed.
    """
    found = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        found |= _texts(await _read_object(request))
    elif kind == "multipart/form-data":
        found |= _parts(request.headers["content-type"], await request.body())
    elif kind == "application/x-www-form-urlencoded":
        text = (await request.body()).decode("utf-8", "replace")
        found |= dict(parse_qsl(text, keep_blank_values=True))
    return found


async def _read_object(request: Request) -> dict[str, Any]:
    found = await read_json(request)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UsageError("the body is not a JSON object")
    return found


def _texts(found: dict[str, Any]) -> dict[str, str]:
    return {name: _text(name, value) for name, value in found.items() if value is not None}


def _text(name: str, value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case list():
            return ",".join(_text(name, each) for each in value)
    raise UsageError(f"{name} is invalid")


def _parts(content_type: str, body: bytes) -> dict[str, str]:
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    found: dict[str, str] = {}
    for part in parser.parsebytes(head + body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content.decode("utf-8", "replace")
    return found
