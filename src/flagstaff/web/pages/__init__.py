"""What stands on each page, and what do its forms do?"""

from __future__ import annotations

from starlette.routing import BaseRoute

from flagstaff.web.pages import (
    abort,
    audit,
    clean_up,
    command,
    edit_plan,
    flag,
    flags,
    home,
    link,
    new_plan,
    new_rollout,
    own_account,
    releases,
    rollout,
    rollouts,
    settings,
    setup,
    sign_in,
    workers,
)
from flagstaff.web.site import Site

PAGES = (
    home,
    rollouts,
    new_rollout,
    new_plan,
    abort,
    edit_plan,
    rollout,
    flags,
    flag,
    workers,
    releases,
    audit,
    clean_up,
    command,
    own_account,
    settings,
    sign_in,
    setup,
    link,
)


def every_page(site: Site) -> list[BaseRoute]:
    """Return the routes of all pages."""
    return [route for page in PAGES for route in page.routes(site)]
