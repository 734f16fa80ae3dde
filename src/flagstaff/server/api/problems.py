"""How does everything that goes wrong reach a program?"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.server.api.manners import acceptable
from flagstaff.server.failures import HINT, TITLES, problem, response_for

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
CODES = {404: "not_found", 405: "method", 406: "not_acceptable", 415: "not_json"}


def explain_errors(api: FastAPI) -> None:
    """Answer whatever goes wrong as `application/problem+json`."""

    @api.exception_handler(FlagstaffError)
    def ours(_: Request, error: FlagstaffError) -> Response:
        return response_for(error)

    @api.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors()
        )
        return response_for(UsageError(wrong, hint=HINT))

    @api.exception_handler(HTTPException)
    def other(request: Request, error: HTTPException) -> Response:
        status = error.status_code
        detail = TITLES.get(status, str(error.detail))
        if status == 404:  # noqa: PLR2004
            detail = f"there is nothing at {request.url.path[:200]}"
        if status != 405:  # noqa: PLR2004
            return problem(status, detail, code=CODES.get(status, "http"), hint=HINT)
        methods = _methods(api, request)
        detail = f"{request.method[:20]} cannot be asked of {request.url.path[:200]}"
        response = problem(status, detail, code=CODES[status], hint=f"use {' or '.join(methods)}")
        response.headers["allow"] = ", ".join(methods)
        return response

    @api.exception_handler(Exception)
    def fault(request: Request, error: Exception) -> Response:
        named = getattr(request.state, "request_id", "")
        detail = f"{type(error).__name__}: see the server's log, request {named}"
        return problem(500, detail, code="fault")


def answering(*offered: str) -> list[Any]:
    """Return what refuses to answer those who take none of the types that are offered."""

    def check(request: Request) -> None:
        header = request.headers.get("accept", "*/*")
        if not any(acceptable(header, each) for each in offered):
            raise HTTPException(406)

    return [Depends(check)]


JSON_ROUTES = answering("application/json")


def _methods(api: FastAPI, request: Request) -> list[str]:
    """Return with which methods the address can be asked; one route knows only its own."""
    found = {
        method
        for method in METHODS
        for route in api.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    return sorted(found | ({"HEAD"} if "GET" in found else set()))
