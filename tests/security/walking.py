"""Which routes does an application have? Asked of the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.routing import Mount, Route

RAW = ("GET", "POST")
"""What is tried where a route is an application that looks at the method itself, or does not."""


def routes_of(app: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and address of every route, those inside of mounts and doors included."""
    for route in _unwrapped(app):
        if isinstance(route, Mount):
            inner = list(routes_of(route.app, prefix + route.path))
            yield from inner or [("GET", prefix + route.path)]
        elif inner := getattr(route, "original_router", None):  # a router that FastAPI includes
            yield from routes_of(inner, prefix)
        elif isinstance(route, Route):
            for method in sorted(route.methods or RAW):
                yield method, prefix + route.path
        else:
            raise TypeError(f"what is {route!r}? Teach this walk to find what is behind it")


def addresses_of(app: Any) -> list[tuple[str, str]]:
    """Return method and address of everything that can be asked, each once."""
    return sorted({*routes_of(app), *ways_of(app)})


def starlette_of(app: Any) -> Any:
    """Return the application itself, without what stands before it."""
    while not hasattr(app, "routes"):
        app = app._app
    return app


def ways_of(app: Any) -> Iterator[tuple[str, str]]:
    """Yield method and address of everything that the front answers without the routing."""
    while not hasattr(app, "_ways"):
        app = app._app
    opened = [each.way for each in app._ways._open]
    for way in (*app._ways._exact.values(), *opened):
        for method in sorted(way.methods):
            yield method, way.mount + way.path


def _unwrapped(app: Any) -> list[Any]:
    for _ in range(10):
        if hasattr(app, "routes"):
            return list(app.routes)
        inner = getattr(app, "_app", None) or getattr(app, "app", None)
        if inner is None:
            return []
        app = inner
    raise TypeError(f"{app!r} wraps too much")
