"""Which address did a request match, without what stands in it?"""

from __future__ import annotations

import re

from starlette.types import Scope

UNKNOWN = "(none)"
_VALUES = (
    (re.compile(r"^/environments/[^/]+"), "/environments/{environment}"),
    (re.compile(r"/unleash/[^/]+$"), "/unleash/{project_id}"),
)


def template_of(scope: Scope) -> str:
    """Return the template of the address; only the router's own words, whatever was asked."""
    route = scope.get("route")
    path = getattr(route, "path_format", None)
    if path is None or "endpoint" not in scope:
        return UNKNOWN
    root: str = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    for pattern, template in _VALUES:
        root = pattern.sub(template, root)
    return f"{root}{path}"
