"""Which steps does a rollout take, in which order?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from flagstaff.commands.grammar import parse_line
from flagstaff.commands.model import Command
from flagstaff.errors import UsageError
from flagstaff.issues.chosen import Chosen
from flagstaff.issues.command_steps import command_step, filled
from flagstaff.issues.lines import anchor_of
from flagstaff.issues.meaning import DONE, Draft, Understood
from flagstaff.issues.merging import with_merge, with_request
from flagstaff.issues.placeholders import PERCENTAGE, has
from flagstaff.issues.ramp import rungs, with_bakes
from flagstaff.issues.recognise import cleanup, is_cleanup_request, recognise
from flagstaff.issues.setting import Setting
from flagstaff.issues.telling import announcement, with_words
from flagstaff.issues.wording import headline, plain
from flagstaff.rollouts.plan import (
    Announce,
    AwaitMerge,
    CleanupPart,
    OpenCleanup,
    Preset,
    Summary,
)

ALL_BELOW = "everything below it is skipped"
_CLEANUP_HEADING = re.compile(r"clean[ -]?up|remov|release the feature", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Turns chosen items into steps; `skipped` says which ramps do not apply, and why."""

    setting: Setting
    chosen: Sequence[Chosen]
    skipped: Mapping[int, str]
    anchors: Mapping[int, str]
    _below: dict[int | None, list[Chosen]] = field(default_factory=lambda: defaultdict(list))
    _sections: dict[tuple[str, ...], list[Command]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def steps(self) -> tuple[Draft, ...]:
        """Return the steps in order: what is nested comes before what it is nested in."""
        for step in self.chosen:
            self._below[step.parent].append(step)
            self._sections[step.item.headings].extend(self._readable(step))
        drafts = tuple(draft for step in self._below[None] for draft in self._with_nested(step))
        merged = with_request(with_merge(drafts), self.setting)
        return with_words(with_bakes(merged, self.setting.dwell), self.setting)

    def _readable(self, step: Chosen) -> Iterator[Command]:
        for command in step.commands:
            with suppress(UsageError):
                yield parse_line(filled(command, step, self.setting))

    def _with_nested(self, step: Chosen) -> tuple[Draft, ...]:
        nested = tuple(
            draft for child in self._below[step.index] for draft in self._with_nested(child)
        )
        if step.commands:
            return (*self._commands(step), *nested)
        text = self.setting.answers.fill(step.item.text)
        if is_cleanup_request(text):
            return self._request(step, text, nested)
        if nested:
            return (*nested, self._parent(step, text, nested))
        return (self._words(step, text),)

    def _commands(self, step: Chosen) -> tuple[Draft, ...]:
        found: list[Draft] = []
        reason = self.skipped.get(step.index)
        if reason:
            step = replace(step, preset=Preset.SKIPPED, reason=reason)
        for command in step.commands:
            section = self._sections[step.item.headings]
            draft = command_step(command, step, self.setting, section)
            if draft is None:
                continue
            placed = self._placed(draft, step)
            ramp = step.preset is Preset.OPEN and has(
                filled(command, step, self.setting), PERCENTAGE
            )
            found += rungs(placed, self.setting) if ramp else (placed,)
        return tuple(found)

    def _request(self, step: Chosen, text: str, nested: tuple[Draft, ...]) -> tuple[Draft, ...]:
        merge = Draft(
            slug="merge",
            title=headline(text),
            action=AwaitMerge(),
            understood=Understood.MERGE_REQUEST,
        )
        last = self._placed(merge, step)
        if any(isinstance(draft.action, OpenCleanup) for draft in nested):
            return (*nested, last)
        first = cleanup(CleanupPart.REFERENCES, "Open the merge request that removes the flag")
        return (*nested, self._placed(first, step), last)

    def _parent(self, step: Chosen, text: str, nested: tuple[Draft, ...]) -> Draft:
        parent = Draft(
            slug="", title=headline(text), action=Summary(), understood=Understood.PARENT
        )
        placed = self._placed(parent, step)
        nothing_done = all(draft.preset is Preset.SKIPPED for draft in nested)
        if placed.preset is Preset.OPEN and nothing_done:
            return replace(placed, preset=Preset.SKIPPED, reason=ALL_BELOW)
        return placed

    def _words(self, step: Chosen, text: str) -> Draft:
        below = any(is_cleanup_request(above) for above in step.context[1:])
        in_cleanup = any(_CLEANUP_HEADING.search(heading) for heading in step.item.headings)
        term = self.setting.project.verification_term
        draft = recognise(text, term=term, below_cleanup=below or in_cleanup)
        if isinstance(draft.action, Announce):
            draft = announcement(draft, step, self.setting)
        return self._placed(draft, step)

    def _placed(self, draft: Draft, step: Chosen) -> Draft:
        reason = step.reason or (DONE if step.preset is Preset.DONE else "")
        stage = plain(step.item.headings[-1]) if step.item.headings else ""
        anchor = anchor_of(self.anchors[step.item.line])
        return replace(
            draft,
            title=draft.title or anchor or "A step without words",
            line=step.item.line,
            anchor=anchor,
            stage=stage or "Rollout",
            preset=step.preset,
            reason=self.skipped.get(step.index, reason),
        )
