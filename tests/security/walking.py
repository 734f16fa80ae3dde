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


def _unwrapped(app: Any) -> list[Any]:
    for _ in range(10):
        if hasattr(app, "routes"):
            return list(app.routes)
        inner = getattr(app, "_app", None) or getattr(app, "app", None)
        if inner is None:
            return []
        app = inner
    raise TypeError(f"{app!r} wraps too much")
