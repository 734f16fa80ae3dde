"""What does the engine see of the outside, and what does it do there?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import assert_never

from flagstaff.definitions import Project
from flagstaff.errors import Refused
from flagstaff.integrations.forge.branches import write_cleanup
from flagstaff.integrations.forge.effects import IssueEffects
from flagstaff.integrations.forge.issue_file import rewrite
from flagstaff.integrations.metrics.job_logs import JobLogs
from flagstaff.integrations.notify.webhook import post
from flagstaff.issues import follow
from flagstaff.rollouts.effect import CloseIssue, External, OpenIssue, Post, WriteCleanup
from flagstaff.rollouts.event import EffectDone
from flagstaff.rollouts.guard import Guard, Measurement
from flagstaff.rollouts.plan import CloseTarget, Plan
from flagstaff.rollouts.rollout import Rollout


class World:
    """The outside as one project's settings describe it.

    Args:
        root: the project's folder.
        announce: says an announcement in chat; None where no chat is connected.
        issues: makes and closes issues on forges; None where none is connected.
    """

    def __init__(
        self,
        root: Path,
        project: Project,
        announce: Callable[[Post], None] | None = None,
        issues: IssueEffects | None = None,
    ) -> None:
        self._say = announce
        self._issues = issues
        self._root = root
        self._project = project
        self._logs: dict[tuple[Guard, datetime], JobLogs] = {}

    def measure(self, guard: Guard, since: datetime) -> Measurement:
        """Return what a guard sees since `since`, in real time."""
        key = (guard, since)
        if key not in self._logs:
            self._logs[key] = JobLogs(self._root, guard, since)
        return self._logs[key].measure()

    def perform(self, effect: External, plan: Plan) -> EffectDone:
        """Do one thing outside; doing it again after a crash changes nothing more.

        Raises:
            Unavailable: try again later.
            FlagstaffError: a person has to look.
        """
        match effect:
            case Post():
                return self._announce(effect)
            case WriteCleanup():
                cleanup = write_cleanup(self._root, self._project, plan)
                return EffectDone(step=effect.step, cleanup=cleanup)
            case CloseIssue():
                return self._close(effect, plan)
            case OpenIssue():
                return self._open(effect)
            case _:
                assert_never(effect)

    def follow_issue(self, path: Path, rollout: Rollout) -> str:
        """Tick the boxes of an issue that is a file, and return its text."""
        return rewrite(path, lambda text: follow(text, rollout))

    def _announce(self, effect: Post) -> EffectDone:
        where = ", ".join(effect.channels)
        if self._say is not None:
            self._say(effect)
            return EffectDone(step=effect.step, note=f"posted to {where}")
        if self._project.webhook is None:
            note = f"noted here for {where}: no chat webhook is set in flagstaff.yml"
            return EffectDone(step=effect.step, note=note)
        post(self._project.webhook, effect)
        return EffectDone(step=effect.step, note=f"posted to {where}")

    def _close(self, effect: CloseIssue, plan: Plan) -> EffectDone:
        if effect.target is CloseTarget.ROLLOUT_ISSUE:
            return EffectDone(step=effect.step, note="closed")
        closed = self._issues.close(effect, plan) if self._issues else None
        if closed is not None:
            return closed
        name = effect.reference or "the feature issue"
        return EffectDone(
            step=effect.step,
            ask=f"no forge is connected: close {name} yourself, then approve this step",
        )

    def _open(self, effect: OpenIssue) -> EffectDone:
        if self._issues is None:
            raise Refused(
                f"the forge {effect.forge} is no longer described in flagstaff.yml",
                hint="describe it again; the rollout itself goes on",
            )
        return self._issues.open(effect)
