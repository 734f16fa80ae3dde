"""Which flags should go, where are they in the code, and which patch removes them?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.cleanup.changes import CleanupPlan, Reference, diff_text
from flagstaff.cleanup.plan import plan_cleanup
from flagstaff.cleanup.references import find_references
from flagstaff.errors import FlagstaffError, NotFound, UsageError
from flagstaff.integrations.forge.branches import old_jobs
from flagstaff.services import views
from flagstaff.web.site import Site

ANSWERS = ("on", "off")
ON_A_PAGE = 100
MOST_LINES = 2000
"""Of a patch that is shown; the whole of it can be saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What would go, what would be left, and the lines of it that are shown."""

    plan: CleanupPlan
    text: str

    @property
    def lines(self) -> list[str]:
        """Return the first lines."""
        return self.text.splitlines()[:MOST_LINES]

    @property
    def hidden(self) -> int:
        """Return how many more there are."""
        return max(0, self.text.count("\n") - MOST_LINES)


def routes(site: Site) -> list[BaseRoute]:
    """Return the pages' routes."""

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
        return _page(site, request)

    def save(request: Request) -> Response:
        flag = _flag(site, request)
        patch = _patch(site, flag, _keep(request))
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


def _page(site: Site, request: Request) -> Response:
    flag = _flag(site, request)
    references: tuple[Reference, ...] = ()
    patch: Patch | None = None
    error: FlagstaffError | None = None
    keep, stale = _keep(request), site.ask(request, site.stale.flags)
    try:
        base = site.services.context.project.main_branch
        references = find_references(site.services.context.root, flag, base=base)
        if request.query_params.get("part") != "references":
            patch = _patch(site, flag, keep)
    except FlagstaffError as wrong:
        error = wrong
    return site.page(
        request,
        "clean_up_flag.html",
        flag=flag,
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


def _patch(site: Site, flag: str, keep: str) -> Patch:
    context = site.services.context
    project, changelog = context.project, Path(context.project.changelog)
    found = plan_cleanup(
        context.root,
        flag,
        keep=keep == "on",
        renames=old_jobs(project, flag),
        changelog=changelog if (context.root / changelog).exists() else None,
        title=f"Remove the `{flag}` feature flag",
        base=project.main_branch,
    )
    if not found.changes and not found.residues:
        raise NotFound(
            f"nothing on {project.main_branch} speaks of {flag}",
            hint="what is committed there is read; nothing else is",
        )
    return Patch(plan=found, text=diff_text(found))
