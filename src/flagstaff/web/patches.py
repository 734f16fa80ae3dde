"""Which patch takes a flag out of the code, and how is it not worked out again for each look?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from flagstaff.cleanup.changes import CleanupPlan, diff_text
from flagstaff.cleanup.git import Git
from flagstaff.errors import NotFound, Unavailable
from flagstaff.integrations.forge.branches import old_jobs
from flagstaff.services.unit import Context

MOST_LINES = 2000
"""Of a patch that is shown; the whole of it can be saved."""

KEPT = 16
"""Patches that are remembered."""

PATIENCE = 30.0
"""Seconds to wait while another patch is worked out."""


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


class Patches:
    """Works out one patch at a time, since each may read the whole repository."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], Patch] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, context: Context, flag: str, keep: str) -> Patch:
        """Return the patch for what is committed on the main branch now.

        Raises:
            NotFound: there is no repository or branch, or nothing in it speaks of the flag.
            Unavailable: others ask for so many that this one has waited too long.
        """
        project, root = context.project, context.root
        commit = Git.at(root).commit(project.main_branch)
        jobs, log = old_jobs(project, flag), Path(project.changelog)
        changelog = log if (root / log).exists() else None
        key = (commit, flag, keep, tuple(jobs), changelog)
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unavailable(
                "other patches are being worked out", hint="load the page again in a minute"
            )
        try:
            if key not in self._known:
                # It loads parsers, which servers that nobody asks for a patch do without.
                from flagstaff.cleanup.plan import plan_cleanup  # noqa: PLC0415

                found = plan_cleanup(
                    root,
                    flag,
                    keep=keep == "on",
                    renames=jobs,
                    changelog=changelog,
                    title=f"Remove the `{flag}` feature flag",
                    base=commit,
                )
                self._known[key] = Patch(plan=found, text=diff_text(found))
            self._known.move_to_end(key)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            patch = self._known[key]
        finally:
            self._lock.release()
        if not patch.plan.changes and not patch.plan.residues:
            raise NotFound(
                f"nothing on {project.main_branch} speaks of {flag}",
                hint="what is committed there is read; nothing else is",
            )
        return patch
