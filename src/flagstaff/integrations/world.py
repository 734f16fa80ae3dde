"""What does the engine see of the outside, and what does it do there?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

from flagstaff.definitions import Project
from flagstaff.errors import Refused
from flagstaff.integrations.brokers import Brokers
from flagstaff.integrations.commands import Commands, in_words
from flagstaff.integrations.forge.authors import author_of
from flagstaff.integrations.forge.effects import IssueEffects
from flagstaff.integrations.forge.issue_file import read, rewrite
from flagstaff.integrations.http_check import HttpCheck
from flagstaff.integrations.metrics.job_durations import JobDurations
from flagstaff.integrations.metrics.job_logs import JobLogs
from flagstaff.integrations.metrics.sources import Sources
from flagstaff.integrations.notify.webhook import post
from flagstaff.integrations.on_call.mentioning import mentioned
from flagstaff.integrations.telling import Announce
from flagstaff.issues import box_answers, follow
from flagstaff.issues.lines import split_lines
from flagstaff.rollouts.checks import (
    AskedOutside,
    CheckCommand,
    CheckDrained,
    CheckHttp,
    CheckWorkersReady,
)
from flagstaff.rollouts.effect import (
    ChangeBroker,
    CloseIssue,
    External,
    InvokeCommand,
    OpenIssue,
    Post,
    WriteCleanup,
)
from flagstaff.rollouts.event import Answer, EffectDone, EffectFailed, EffectHeld
from flagstaff.rollouts.guard import Guard, Kept, Measurement
from flagstaff.rollouts.plan import CloseTarget, Plan
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.boxes import Heard
from flagstaff.services.ports import OnCallBook, OnDuty
from flagstaff.services.telemetry import Telemetry


class World:
    """The outside as one project's settings describe it.

    Args:
        root: the project's folder.
        announce: says an announcement in chat; None where no chat is connected.
        on_call: knows whom an announcement mentions; None where nobody does.
        telemetry: what applications report to this server.
        issues: makes and closes issues on forges; None where none is connected.
    """

    def __init__(
        self,
        root: Path,
        project: Project,
        announce: Announce | None = None,
        *,
        on_call: OnCallBook | None = None,
        telemetry: Telemetry | None = None,
        issues: IssueEffects | None = None,
    ) -> None:
        self._on_call = on_call
        self._say = announce
        self._issues = issues
        self._root = root
        self._project = project
        self._commands = Commands(root, project)
        self._brokers = Brokers(root, project)
        self._http = HttpCheck(private_hosts=project.private_hosts)
        self._logs: dict[tuple[Guard, datetime], JobLogs] = {}
        self._sources = Sources(root, project, telemetry)

    def measure(self, guard: Guard, kept: Kept) -> Measurement:
        """Return what a guard has seen since watching began; `kept` is in the evidence already."""
        if guard.query is not None:
            return self._sources.measure(guard, guard.query, kept)
        if guard.ranked:
            return JobDurations(self._root, guard).measure(kept, datetime.now(UTC))
        key = (guard, kept.since)
        if key not in self._logs:
            self._logs[key] = JobLogs(self._root, guard, kept.since)
        return self._logs[key].measure()

    def check(self, check: AskedOutside, *, key: str, flag: str) -> Answer:
        """Return what a command, a web address or a broker says; may take minutes."""
        match check:
            case CheckCommand(command=name):
                ended = self._commands.run(name, key=key, flag=flag)
                return Answer(yes=ended.code == 0, text=in_words(name, ended), output=ended.output)
            case CheckHttp():
                return self._http.ask(check)
            case CheckWorkersReady() | CheckDrained():
                return self._brokers.ask(check)
            case _:
                assert_never(check)

    def perform(self, effect: External, plan: Plan) -> EffectDone | EffectFailed | EffectHeld:
        """Do one thing outside; doing it again after a crash changes nothing more.

        Raises:
            Unavailable: try again later.
            FlagstaffError: a person has to look.
        """
        match effect:
            case Post():
                return self._announce(effect)
            case WriteCleanup():
                # LibCST takes a second to load, and is needed here alone.
                from flagstaff.integrations.forge.branches import write_cleanup  # noqa: PLC0415

                cleanup = write_cleanup(self._root, self._project, plan)
                return EffectDone(step=effect.step, cleanup=cleanup)
            case CloseIssue():
                return self._close(effect, plan)
            case OpenIssue():
                return self._open(effect)
            case InvokeCommand():
                return self._invoke(effect, plan)
            case ChangeBroker():
                return self._brokers.perform(effect)
            case _:
                assert_never(effect)

    def issue_stamp(self, path: Path) -> object:
        """Return what changes whenever the file does; `None` when there is no file."""
        try:
            about = path.stat()
        except OSError:
            return None
        return about.st_ino, about.st_mtime_ns, about.st_size

    def hear_issue(self, path: Path, rollout: Rollout) -> tuple[Heard, ...]:
        """Return what people have said by the boxes of an issue that is a file."""
        text = read(path)
        lines = split_lines(text)
        return tuple(
            Heard(answer=each, author=author_of(path, each.line, lines[each.line - 1].text))
            for each in box_answers(text, rollout)
        )

    def announce(self, post_: Post) -> None:
        """Say something that belongs to no rollout, where anything is connected.

        Raises:
            Unavailable: try again later.
            FlagstaffError: it will never be taken.
        """
        if self._say is not None:
            self._say(post_)
        elif self._project.webhook is not None:
            post(self._project.webhook, post_)

    def follow_issue(self, path: Path, rollout: Rollout) -> str:
        """Tick the boxes of an issue that is a file, and return its text."""
        return rewrite(path, lambda text: follow(text, rollout))

    def _invoke(self, effect: InvokeCommand, plan: Plan) -> EffectDone | EffectFailed:
        ended = self._commands.run(effect.command, key=effect.key, flag=plan.flag)
        text = in_words(effect.command, ended)
        if ended.code == 0:
            return EffectDone(step=effect.step, note=text, output=ended.output)
        return EffectFailed(step=effect.step, error=text, output=ended.output)

    def _announce(self, effect: Post) -> EffectDone:
        where = ", ".join(effect.channels)
        if self._say is not None:
            for each, on_duty in self._mentioning(effect):
                self._say(each, on_duty=on_duty)
            return EffectDone(step=effect.step, note=f"posted to {where}")
        if self._project.webhook is None:
            note = f"noted here for {where}: no chat webhook is set in flagstaff.yml"
            return EffectDone(step=effect.step, note=note)
        for each, on_duty in self._mentioning(effect):
            names = " ".join(person.handle for person in on_duty)
            said = replace(each, text=f"{each.text}\nOn call: {names}") if names else each
            post(self._project.webhook, said)
        return EffectDone(step=effect.step, note=f"posted to {where}")

    def _mentioning(self, effect: Post) -> Iterator[tuple[Post, tuple[OnDuty, ...]]]:
        """Yield what is said in each channel, and whom it mentions there."""
        if self._on_call is None:
            yield effect, ()
            return
        for channel in effect.channels:
            now = datetime.now(UTC)
            on_duty, note = mentioned(channel, self._project.channels, self._on_call, now)
            text = f"{effect.text}\n{note}" if note else effect.text
            yield replace(effect, channels=(channel,), text=text), on_duty

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
