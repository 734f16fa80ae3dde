"""How does an error reach a program? As `application/problem+json`, from one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flagstaff.errors import (
    Changed,
    Conflict,
    DefinitionError,
    FlagstaffError,
    ImportProblems,
    KeyReused,
    MissingExtra,
    NotFound,
    Refused,
    SnapshotError,
    Throttled,
    Unavailable,
    UsageError,
)

STATUSES: dict[type[FlagstaffError], int] = {
    ImportProblems: 422,
    UsageError: 400,
    DefinitionError: 422,
    NotFound: 404,
    Changed: 412,
    KeyReused: 422,
    Conflict: 409,
    Throttled: 429,
    Refused: 403,
    Unavailable: 503,
    MissingExtra: 501,
    SnapshotError: 500,
    FlagstaffError: 500,
}
"""The first class, from the error upwards, that stands here decides."""

TITLES = {
    400: "The request is wrong",
    401: "Who is asking?",
    403: "This is not allowed",
    404: "There is no such thing",
    405: "Not with this method",
    406: "Not in this form",
    409: "Not in this state",
    412: "It has changed",
    413: "The request is too large",
    415: "The request is in another form",
    422: "There is something to mend first",
    429: "Too many requests",
    500: "The server has a fault",
    501: "A part is not installed",
    503: "Something outside does not answer",
}


HINT = "/api/v1/openapi.json describes every request"


def status_of(error: FlagstaffError) -> int:
    """Return the HTTP status for an error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(status: int, detail: str, *, code: str, hint: str = "", **more: Any) -> JSONResponse:
    """Return the response for an error that has no exception."""
    body = {
        "type": f"urn:flagstaff:{code}",
        "title": TITLES.get(status, "An error"),
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "problems": [],
        **more,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def response_for(error: FlagstaffError) -> JSONResponse:
    """Return the response for an error of ours, with every problem of a file in it."""
    problems = [asdict(each) for each in getattr(error, "problems", ())]
    return problem(
        status_of(error), error.message, code=error.code, hint=error.hint, problems=problems
    )


def not_an_address(
    page: Callable[[Request, Exception], Response],
) -> Callable[[Request, Exception], Response]:
    """Return what answers where nothing is: a problem to programs, the page to people.

    An address with a line break in it never gets as far as the API.
    """

    def answer(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith("/api/"):
            return page(request, error)
        detail = f"there is nothing at {request.url.path[:200]}"
        return problem(404, detail, code=NotFound.code, hint=HINT)

    return answer
