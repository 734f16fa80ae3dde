"""How does a Django project ask for flags in views and templates?

Settings: `FLAGSTAFF_CLIENT`, a client or the dotted path of one; optionally `FLAGSTAFF_ACTORS`,
the dotted path of a function from a request to actors, instead of the user who is signed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any

from flagstaff.errors import MissingExtra, UsageError
from flagstaff.sdk.client import Client
from flagstaff.sdk.scopes import request_scope

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.conf import settings  # type: ignore[import-untyped, unused-ignore]
    from django.db.models import Model  # type: ignore[import-untyped, unused-ignore]
    from django.http import Http404, HttpRequest, HttpResponseBase  # type: ignore[import-untyped, unused-ignore]
    from django.utils.module_loading import import_string  # type: ignore[import-untyped, unused-ignore]
except ModuleNotFoundError as exc:
    raise MissingExtra.named("django", package="Django") from exc

View = Callable[..., HttpResponseBase]


def client() -> Client:
    """Return the project's client.

    Raises:
        UsageError: `FLAGSTAFF_CLIENT` is missing or is no client.
    """
    found = getattr(settings, "FLAGSTAFF_CLIENT", None)
    if isinstance(found, str):
        found = import_string(found)
    if not isinstance(found, Client):
        raise UsageError(
            "the settings name no client of feature flags",
            hint='set FLAGSTAFF_CLIENT = flagstaff.Client.connect() or "project.flags.client"',
        )
    return found


def actor(instance: Model) -> str:
    """Return the actor that stands for a saved model instance, `User:42`.

    Raises:
        UsageError: it was not saved, so it has no lasting id.
    """
    if instance.pk is None:
        raise UsageError(f"a {type(instance).__name__} that was not saved is no actor")
    return f"{instance._meta.object_name}:{instance.pk}"  # noqa: SLF001 - Django's documented name


def actors(request: HttpRequest) -> Iterable[object]:
    """Return who is asked about on behalf of `request`."""
    chosen = getattr(settings, "FLAGSTAFF_ACTORS", None)
    if chosen is not None:
        found: Iterable[object] = import_string(chosen)(request)
        return found
    user = getattr(request, "user", None)
    return (actor(user),) if user is not None and user.is_authenticated else ()


class FlagsMiddleware:
    """Gives every request one request actor; works in sync and async stacks."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Pass on to the rest of the stack inside the scope."""
        if self._is_async:
            return self._call_async(request)
        with request_scope():
            response: HttpResponseBase = self._get_response(request)
            return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        with request_scope():
            response: HttpResponseBase = await self._get_response(request)
            return response


class RequestFlags:
    """What templates see as `flags`: `{% if flags.new_search %}`."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        return client().is_enabled(name, *actors(self._request))


def flags(request: HttpRequest) -> dict[str, RequestFlags]:
    """Return the context of templates; list it among the `context_processors`."""
    return {"flags": RequestFlags(request)}


def flag_required(name: str) -> Callable[[View], View]:
    """Return a decorator for views that do not exist while the flag is off: they answer 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not client().is_enabled(name, *actors(request)):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate
