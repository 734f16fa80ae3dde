"""Which addresses does Slack send to, and what if something else does?"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.chatops.slack.app import SlackApp
from flagstaff.chatops.slack.signature import Signatures
from flagstaff.errors import Refused, Unavailable

log = logging.getLogger(__name__)

Handle = Callable[[bytes], Response]


def slack_routes(app: SlackApp, signatures: Signatures) -> list[BaseRoute]:
    """Return the routes for slash commands, clicks and events."""

    def command(body: bytes) -> Response:
        return _answered(app.command(_form(body)))

    def interaction(body: bytes) -> Response:
        return _answered(app.interact(json.loads(_form(body)["payload"])))

    def event(body: bytes) -> Response:
        payload = json.loads(body)
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": payload.get("challenge", "")})
        app.event(payload)
        return _answered({})

    def checked(handle: Handle) -> Callable[[Request], Any]:
        def work(headers: Mapping[str, str], body: bytes) -> Response:
            try:
                signatures.check(headers, body)
            except Refused as error:
                log.warning("a request to Slack's address is refused: %s", error)
                return PlainTextResponse(f"{error.message}\n", 401)
            except Unavailable as error:
                return JSONResponse({"response_type": "ephemeral", "text": str(error)})
            try:
                return handle(body)
            except (ValueError, KeyError, TypeError, AttributeError) as exc:
                log.warning("a request of Slack's is not understood: %r", exc)
                return PlainTextResponse("this request is not understood\n", 400)

        async def endpoint(request: Request) -> Response:
            return await run_sync(work, request.headers, await request.body())

        return endpoint

    return [
        Route("/slack/commands", checked(command), methods=["POST"]),
        Route("/slack/interactivity", checked(interaction), methods=["POST"]),
        Route("/slack/events", checked(event), methods=["POST"]),
    ]


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))


def _answered(answer: Mapping[str, Any]) -> Response:
    return JSONResponse(answer) if answer else Response(status_code=200)
