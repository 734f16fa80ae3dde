"""Which addresses are asked so often that they take a short way past the routing?

A request that takes one has been through everything that `Front` does, and has its own door; what
it is spared are the middleware of pages and a look at every route, which take longer than an answer
from memory. Whatever is not exactly one of these addresses goes the usual way.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.server.front.asked import AskedRequest

log = logging.getLogger(__name__)

Handlers = Mapping[type[Exception], Callable[[Request, Exception], Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One address.

    Attributes:
        mount: what stands before the application's own addresses.
        path: after it, with one `{parameter}` at most; one with a colon also takes slashes.
        stream: whether the answer goes on for ever.
    """

    app: ASGIApp
    methods: frozenset[str]
    path: str
    mount: str = ""
    stream: bool = False

    @property
    def template(self) -> str:
        """Return the whole address."""
        return (self.mount + self.path).replace(":path", "")


@dataclass(frozen=True, slots=True)
class _Open:
    """A way with a parameter."""

    way: Way
    name: str
    before: str
    after: str
    slashes: bool


class Ways:
    """Finds the way of a request."""

    def __init__(self, ways: Iterable[Way]) -> None:
        self._exact: dict[str, Way] = {}
        self._open: list[_Open] = []
        for each in ways:
            whole = each.mount + each.path
            if "{" not in whole:
                self._exact[whole] = each
                continue
            before, _, rest = whole.partition("{")
            inside, _, after = rest.partition("}")
            name, _, kind = inside.partition(":")
            self._open.append(_Open(each, name, before, after, bool(kind)))

    def find(self, scope: Scope) -> Way | None:
        """Return the way, having put into the scope what its application looks for there."""
        path, found, parameters = scope["path"], None, {}
        found = self._exact.get(path)
        if found is None:
            for each in self._open:
                if path.startswith(each.before) and path.endswith(each.after):
                    value = path[len(each.before) : len(path) - len(each.after)]
                    if value and (each.slashes or "/" not in value):
                        found, parameters = each.way, {each.name: value}
                        break
        if found is None or scope["method"] not in found.methods:
            return None
        scope["path_params"] = parameters
        scope["root_path"] = scope.get("root_path", "") + found.mount
        return found


def answering(endpoint: Callable[[Request], Awaitable[Response]], handlers: Handlers) -> ASGIApp:
    """Return the application of one endpoint, which answers these errors."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = AskedRequest(scope, receive, send)
        try:
            response = await endpoint(request)
        except Exception as exc:
            kind = next((each for each in type(exc).__mro__ if each in handlers), None)
            if kind is None:
                raise
            if kind is Exception:
                log.exception("a request failed")
            handler = handlers[kind]
            response = handler(request, exc)
        await response(scope, receive, send)

    return app
