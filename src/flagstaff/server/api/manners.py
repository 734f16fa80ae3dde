"""Which requests are no use before they are read, and what do all answers have in common?"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flagstaff.server.failures import problem

BODIES = {"POST", "PUT", "PATCH"}
JSON = "application/json"


class Manners:
    """Answers HEAD as GET without the body, and takes no body that is not JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] in BODIES and not _is_json(headers):
            refusal = problem(
                415,
                f"the body is {headers.get('content-type', '')[:100]!r}, not JSON",
                code="not_json",
                hint=f"send JSON, and `Content-Type: {JSON}`",
            )
            await refusal(scope, receive, send)
            return
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


def _is_json(headers: Headers) -> bool:
    """Return whether the body is JSON, or there is none."""
    if headers.get("content-length", "") == "0":
        return True
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return True
    kind = headers.get("content-type", JSON).partition(";")[0].strip().lower()
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def acceptable(header: str, offered: str) -> bool:
    """Return whether an `Accept` header takes the type that is offered."""
    group = offered.partition("/")[0]
    for each in header.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        refused = any(_is_zero(part) for part in parameters)
        if not refused and kind in {"", "*/*", f"{group}/*", offered}:
            return True
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip().strip("0.")
