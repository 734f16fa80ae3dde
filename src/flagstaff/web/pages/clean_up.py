"""Which flags should go, where are they in the code, and which patch removes them?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.cleanup.changes import Reference
from flagstaff.cleanup.references import find_references
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services import views
from flagstaff.web.patches import Patch, Patches
from flagstaff.web.site import Site

ANSWERS = ("on", "off")
ON_A_PAGE = 100


def routes(site: Site) -> list[BaseRoute]:
    """Return the pages' routes."""
    patches = Patches()

    def listing(request: Request) -> Response:
        after = request.query_params.get("after", "")
        found = site.ask(request, site.stale.flags)
        rest = [each for each in found if each.name > after]
        shown = rest[:ON_A_PAGE]
        more = shown[-1].name if len(rest) > ON_A_PAGE else ""
        return site.page(
            request, "clean_up.html", stale=shown, after=after, more=more, count=len(found)
        )

    def show(request: Request) -> Response:
        return _page(site, request, patches)

    def save(request: Request) -> Response:
        flag = _flag(site, request)
        patch = patches.of(site.services.context, flag, _keep(request))
        name = f"cleanup-{flag}.patch"
        return PlainTextResponse(
            patch.text,
            media_type="text/x-diff",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    return [
        Route("/clean-up", listing),
        Route("/clean-up/{name}", show),
        Route("/clean-up/{name}/patch", save),
    ]


def _page(site: Site, request: Request, patches: Patches) -> Response:
    flag, context = _flag(site, request), site.services.context
    references: tuple[Reference, ...] = ()
    patch: Patch | None = None
    error: FlagstaffError | None = None
    keep, whole = _keep(request), request.query_params.get("part") != "references"
    stale = site.ask(request, site.stale.flags) if whole else []
    try:
        base = context.project.main_branch
        references = find_references(context.root, flag, base=base)
        if whole:
            patch = patches.of(context, flag, keep)
    except FlagstaffError as wrong:
        error = wrong
    return site.page(
        request,
        "clean_up_flag.html",
        flag=flag,
        base=context.project.main_branch,
        keep=keep,
        findings=[one for each in stale if each.name == flag for one in each.findings],
        references=references,
        patch=patch,
        error=error,
    )


def _flag(site: Site, request: Request) -> str:
    """Return the flag, which somebody has to know: no other word is looked for in the code."""
    return site.ask(request, lambda unit: views.flag(unit, request.path_params["name"])).name


def _keep(request: Request) -> str:
    asked = request.query_params.get("keep", "on")
    if asked not in ANSWERS:
        raise UsageError(f"{asked[:20]!r} is no answer", hint="keep=on or keep=off")
    return asked
