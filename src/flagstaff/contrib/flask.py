"""How does a Flask application ask for flags in views and templates?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from flagstaff.errors import MissingExtra
from flagstaff.sdk.client import Client
from flagstaff.sdk.scopes import request_scope

try:
    from flask import Flask, current_app, g
except ModuleNotFoundError as exc:
    raise MissingExtra.named("flask", package="Flask") from exc

_KEY = "flagstaff"


class Flags:
    """The extension: one request actor per request, and `flag(name, …)` in templates.

    Args:
        app: the application; or give it to `init_app` later.
        client: whose flags are asked.
        actors: returns who is asked about in templates when they name nobody.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        client: Client,
        actors: Callable[[], Iterable[object]] = tuple,
    ) -> None:
        self._client, self._actors = client, actors
        if app is not None:
            self.init_app(app)

    @property
    def client(self) -> Client:
        """Return whose flags are asked."""
        return self._client

    def init_app(self, app: Flask) -> None:
        """Set the extension up for `app`."""
        app.extensions[_KEY] = self
        app.before_request(_enter)
        app.teardown_request(_leave)
        app.context_processor(lambda: {"flag": self.flag})

    def flag(self, name: str, *actors: object) -> bool:
        """Return whether a flag is on, for `actors` or for those of the request."""
        return self._client.is_enabled(name, *(actors or self._actors()))


def current_flags() -> Flags:
    """Return the extension of the current application.

    Raises:
        RuntimeError: there is no current application.
        KeyError: it was not set up with `Flags`.
    """
    found: Flags = current_app.extensions[_KEY]
    return found


def _enter() -> None:
    stack = g.flagstaff_scope = ExitStack()
    stack.enter_context(request_scope())


def _leave(_exc: BaseException | None, *_: Any) -> None:
    stack = g.pop("flagstaff_scope", None)
    if stack is not None:
        stack.close()
