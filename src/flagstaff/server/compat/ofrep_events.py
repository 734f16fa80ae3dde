"""How does an OpenFeature provider hear that it should ask again?"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from flagstaff.errors import FlagstaffError
from flagstaff.server.access import Admitting
from flagstaff.server.failures import status_of
from flagstaff.server.places import Places
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import Hub
from flagstaff.server.streams.reader import Frames, reader_of, serve_reader


class Events:
    """Streams `refetchEvaluation`: once at the beginning, then for each change.

    The first one closes the gap between an evaluation and the stream it names: who has not missed
    anything is answered "not modified".
    """

    def __init__(
        self, places: Places, hub: Hub, access: Admitting, dropped: Callable[[], None]
    ) -> None:
        self._places = places
        self._hub = hub
        self._access = access
        self._dropped = dropped
        self._frames: dict[str, Frames] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one listener until it leaves."""
        query = QueryParams(scope["query_string"])
        environment = query.get("environment", "")
        seal = _seal(self._access, environment)
        if not hmac.compare_digest(query.get("seal", "").encode(), seal.encode()):
            body = {"errorDetails": "this is not the address of a stream that an evaluation gave"}
            await JSONResponse(body, 401)(scope, receive, send)
            return
        try:
            self._places.check_environments((environment,))
            channel = self._hub.channel(environment)
            await self._hub.latest(channel)
        except FlagstaffError as exc:
            body = {"errorDetails": str(exc)}
            await JSONResponse(body, status_of(exc))(scope, receive, send)
            return
        frames = self._frames.setdefault(environment, Frames(_refetch))
        reader = reader_of(scope, send, frames, self._dropped)
        await serve_reader(reader, self._hub, channel, receive)


def events_query(access: Admitting, environment: str) -> str:
    """Return the query of the environment's stream; it opens nothing but that stream."""
    return urlencode({"environment": environment, "seal": _seal(access, environment)})


def _seal(access: Admitting, environment: str) -> str:
    return access.seal(f"ofrep events of {environment}")


def _refetch(_: Encoded | None, latest: Encoded) -> bytes:
    tag = latest.etag.strip('"')
    data = json.dumps({"type": "refetchEvaluation", "etag": tag})
    return f"id: {tag}\nevent: message\ndata: {data}\n\n".encode()
