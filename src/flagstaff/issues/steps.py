"""Which steps does a rollout take, in which order?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from flagstaff.commands.grammar import parse_line
from flagstaff.commands.model import Command, SetFlag
from flagstaff.errors import UsageError
from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.issues.alternatives import Choice
from flagstaff.issues.chosen import Chosen
from flagstaff.issues.closing import left_to_people
from flagstaff.issues.command_steps import command_step, filled
from flagstaff.issues.lines import anchor_of
from flagstaff.issues.meaning import DONE, Draft, Understood
from flagstaff.issues.merging import with_merge, with_request
from flagstaff.issues.old_queues import with_old_queues
from flagstaff.issues.ordering import with_preparation
from flagstaff.issues.outline import Item
from flagstaff.issues.placeholders import PERCENTAGE, has
from flagstaff.issues.prose import hint_for, step_in_words
from flagstaff.issues.ramp import Left, rungs, with_bakes, with_warning
from flagstaff.issues.ramp_words import RampWords, Share, ramp_words
from flagstaff.issues.recognise import cleanup, is_cleanup_request, recognise
from flagstaff.issues.setting import PRODUCTION, Setting
from flagstaff.issues.telling import announcement, with_words
from flagstaff.issues.wording import headline, plain
from flagstaff.issues.written import near_command
from flagstaff.rollouts.plan import (
    Announce,
    AwaitMerge,
    CleanupPart,
    OpenCleanup,
    Preset,
    SetGate,
    Summary,
)

EVERYONE = 100
NEARLY = "begin with `/chatops run`, or mark the box `[-]` if nothing is to be done"
ALL_BELOW = "everything below it is skipped"
_CLEANUP_HEADING = re.compile(r"clean[ -]?up|remov|release the feature", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Turns chosen items into steps; `skipped` says which ramps do not apply, and why."""

    setting: Setting
    chosen: Sequence[Chosen]
    skipped: Mapping[int, Left]
    choices: Sequence[Choice]
    anchors: Mapping[int, str]
    paragraphs: Sequence[Item]
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
        drafts = with_preparation(drafts)
        merged = left_to_people(with_request(with_merge(drafts), self.setting), self.chosen)
        baked = with_warning(with_bakes(merged, self.setting.dwell))
        return with_old_queues(with_words(baked, self.setting), self.setting)

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
        if step.preset is Preset.OPEN and (near := near_command(step.item.text)):
            self.setting.problem(step.item.line, f"`{near}` is no command", NEARLY)
        text = self.setting.answers.fill(step.item.text)
        if is_cleanup_request(text):
            return self._request(step, text, nested)
        if nested:
            return (*nested, self._parent(step, text, nested))
        return (self._words(step, text),)

    def _commands(self, step: Chosen) -> tuple[Draft, ...]:
        found: list[Draft] = []
        if left := self._left(step):
            step = replace(step, preset=Preset.SKIPPED, reason=left.reason)
        hint = self._hint(step)
        words = self._ramp_words(step)
        for number, command in enumerate(step.commands):
            if self._is_dropped(step, number):
                continue
            section = self._sections[step.item.headings]
            draft = command_step(command, step, self.setting, section)
            if draft is None:
                continue
            at = step.item.line + command.offset
            ramp = step.preset is Preset.OPEN and has(
                filled(command, step, self.setting), PERCENTAGE
            )
            draft = replace(draft, hint=draft.hint or hint, written_at=at)
            if ramp or _is_share(draft) or number == len(step.commands) - 1:
                draft = self._with_words(draft, words, ramp=ramp)
            placed = self._placed(draft, step)
            shares = self._without_everyone(words.shares)
            found += rungs(placed, self.setting, shares) if ramp else (placed,)
        return tuple(found)

    def _left(self, step: Chosen) -> Left | None:
        """Return why the item as a whole is not taken."""
        if left := self.skipped.get(step.index):
            return left
        if not step.commands:
            return None
        dropped = [self._is_dropped(step, number) for number in range(len(step.commands))]
        choice = self._choice(step)
        return Left(reason=choice.reason, hint=choice.hint) if choice and all(dropped) else None

    def _choice(self, step: Chosen) -> Choice | None:
        spots = {(step.index, number) for number in range(len(step.commands))}
        return next(
            (each for each in self.choices if any(option.at in spots for option in each.options)),
            None,
        )

    def _is_dropped(self, step: Chosen, number: int) -> bool:
        """Return whether another way was taken in place of this command."""
        return any(
            option.at == (step.index, number) for choice in self.choices for option in choice.others
        )

    def _hint(self, step: Chosen) -> str:
        if left := self._left(step):
            return left.hint
        choice = self._choice(step)
        return f"{choice.taken} is taken, {choice.why}; {choice.hint}" if choice else ""

    def _ramp_words(self, step: Chosen) -> RampWords:
        """Return what the issue says itself about percentages and lengths here."""
        heading = [
            item.text
            for item in self.paragraphs
            if item.headings == step.item.headings and item.line < step.item.line
        ]
        return ramp_words(step.item.text, (*step.context[1:], *reversed(heading)))

    def _with_words(self, draft: Draft, words: RampWords, *, ramp: bool) -> Draft:
        """Return the change with the length its words say, and a hint where they are not read."""
        if not isinstance(draft.action, SetGate) or draft.preset is not Preset.OPEN:
            return draft
        share = ramp or _is_share(draft)
        least = self.setting.dwell if share and PRODUCTION in draft.action.environments else None
        said = words.hint(ramp=ramp, dwell=least or timedelta())
        hint = "; ".join(each for each in (draft.hint, said) if each)
        return replace(draft, hint=hint, holds=words.length if ramp else words.own)

    def _without_everyone(self, shares: tuple[Share, ...]) -> tuple[Share, ...]:
        """Return the percentages, without everyone where a command opens it for everyone."""
        if self._opens_for_everyone and shares and shares[-1][0] == EVERYONE:
            return shares[:-1]
        return shares

    @property
    def _opens_for_everyone(self) -> bool:
        """Return whether some command turns the flag on for all of production."""
        return any(
            isinstance(command, SetFlag)
            and PRODUCTION in command.environments
            and command.change == Boolean(value=True)
            for section in self._sections.values()
            for command in section
        )

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
        draft = step_in_words(text, self.setting) or recognise(
            text, term=term, below_cleanup=below or in_cleanup
        )
        if draft.understood is Understood.PERSON and not draft.hint:
            draft = replace(draft, hint=hint_for(text, self.setting.flag))
        if isinstance(draft.action, Announce):
            draft = announcement(draft, step, self.setting)
        return self._placed(draft, step)

    def _placed(self, draft: Draft, step: Chosen) -> Draft:
        reason = step.reason or (DONE if step.preset is Preset.DONE else "")
        left = self._left(step)
        stage = plain(step.item.headings[-1]) if step.item.headings else ""
        anchor = anchor_of(self.anchors[step.item.line])
        return replace(
            draft,
            title=draft.title or anchor or "A step without words",
            line=step.item.line,
            anchor=anchor,
            stage=stage or "Rollout",
            preset=step.preset,
            reason=left.reason if left else reason,
        )


def _is_share(draft: Draft) -> bool:
    action = draft.action
    return isinstance(action, SetGate) and isinstance(
        action.change, PercentageOfActors | PercentageOfTime
    )
