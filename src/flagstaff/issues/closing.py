"""Which commands would take back in production what the issue has opened there?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal

from flagstaff.commands import model
from flagstaff.commands.grammar import parse_line
from flagstaff.errors import UsageError
from flagstaff.flags.change import (
    Actors,
    Boolean,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.issues.chosen import Chosen
from flagstaff.issues.command_steps import ANY_PERCENTAGE, filled
from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.outline import Outline
from flagstaff.issues.placeholders import PERCENTAGE, stand_in
from flagstaff.issues.prose import IN_PRODUCTION
from flagstaff.issues.recognise import is_cleanup_request
from flagstaff.issues.sections import Section
from flagstaff.issues.setting import PRODUCTION, Setting
from flagstaff.rollouts.plan import (
    AskPerson,
    AwaitMerge,
    CheckReleased,
    DeleteFlag,
    Preset,
    SetGate,
)

TAKES_BACK = (
    "this takes back in production what the issue opens there, so it is never done by itself: do "
    "it if it is meant and tick the box, or mark the box `[-]` with a reason"
)
_CLEANUP = re.compile(r"clean[ -]?up|clean(?:ing)?\b|remov|releas|tidy|retire", re.IGNORECASE)
_ALL = Decimal(100)

Path = tuple[str, ...]


@dataclass(slots=True)
class _Reached:
    """How far production is open, by what has been read so far."""

    opened: bool = False
    everyone: bool = False
    _shares: dict[type, Decimal] = field(default_factory=dict)

    def takes_back(self, change: GateChange) -> bool:
        """Return whether the change closes some of it; else take note of what it opens."""
        match change:
            case Boolean(value=False) | Actors(value=False) | Groups(value=False):
                return self.opened
            case PercentageOfActors(value=share) | PercentageOfTime(value=share):
                if share < (_ALL if self.everyone else self._shares.get(type(change), 0)):
                    return True
                self._shares[type(change)] = share
                self.everyone = self.everyone or share == _ALL
                self.opened = self.opened or share > 0
            case Boolean():
                self.opened = self.everyone = True
            case _:
                self.opened = True
        return False


def without_closing_sections(
    outline: Outline, steps: Sequence[Chosen], setting: Setting
) -> Outline:
    """Return the outline, with no step in the sections that can only be how to undo the rollout.

    Such a section stands below all that opens the flag in production and turns it off there; no
    other change stands in it, and nothing of the clean-up. Its heading may say what it likes.
    """
    closing = _closing_sections(steps, setting)
    if not closing:
        return outline
    return replace(
        outline,
        items=tuple(
            replace(item, section=Section.CLOSING)
            if item.section is not Section.ROLLBACK
            and not closing.isdisjoint(_above(item.headings))
            else item
            for item in outline.items
        ),
    )


def left_to_people(drafts: Sequence[Draft], chosen: Sequence[Chosen]) -> tuple[Draft, ...]:
    """Return the steps, those for a person that take back what earlier ones open in production.

    The clean-up may delete the flag: where the request that removes it is merged or released
    before, or under a heading that says so when the flag is on for everyone.
    """
    headings = {step.item.line: step.item.headings for step in chosen}
    openings = [at for at, draft in enumerate(drafts) if _opens(draft)]
    last = openings[-1] if openings else -1
    wide = {path for at in openings for path in _above(headings.get(drafts[at].line, ()))}
    reached, found, removed = _Reached(), list(drafts), False
    for at, draft in enumerate(drafts):
        if draft.preset is Preset.SKIPPED:
            continue
        match draft.action:
            case AwaitMerge() | CheckReleased():
                removed = True
            case AskPerson() if _opens(draft):
                reached.opened = reached.everyone = True
            case SetGate(environments=where, change=change) if PRODUCTION in where:
                if reached.takes_back(change):
                    found[at] = _for_person(draft)
                    reached = reached if draft.preset is Preset.OPEN else _Reached()
            case DeleteFlag(environments=where) if PRODUCTION in where and reached.opened:
                cleanup = reached.everyone and _says_cleanup(headings.get(draft.line, ()), wide)
                if at < last or not (removed or cleanup):
                    found[at] = _for_person(draft)
            case _:
                pass
    return tuple(found)


def _for_person(draft: Draft) -> Draft:
    if draft.preset is not Preset.OPEN:
        return draft
    return replace(draft, action=AskPerson(), understood=Understood.PERSON, hint=TAKES_BACK)


def _opens(draft: Draft) -> bool:
    """Return whether the step opens production, or asks a person to."""
    if draft.preset is Preset.SKIPPED:
        return False
    match draft.action:
        case SetGate(environments=where, change=change):
            return PRODUCTION in where and not _closes(change)
        case AskPerson():
            return draft.hint.startswith(IN_PRODUCTION.partition("{")[0])
        case _:
            return False


def _closes(change: GateChange) -> bool:
    match change:
        case Boolean(value=value) | Actors(value=value) | Groups(value=value):
            return not value
        case PercentageOfActors(value=share) | PercentageOfTime(value=share):
            return not share
        case _:
            return False


def _says_cleanup(path: Path, wide: set[Path]) -> bool:
    """Return whether a heading that nothing is opened under speaks of the clean-up."""
    return any(_CLEANUP.search(each[-1]) for each in _above(path) if each not in wide)


def _above(path: Path) -> Iterator[Path]:
    """Return the headings, and those of each section around it."""
    return (path[:end] for end in range(1, len(path) + 1))


def _closing_sections(steps: Sequence[Chosen], setting: Setting) -> frozenset[Path]:
    opened: list[int] = []
    closed: dict[Path, int] = {}
    others: set[Path] = set()
    for step in steps:
        paths = tuple(_above(step.item.headings))
        if is_cleanup_request(step.item.text):
            others.update(paths)
        for command in _readable(step, setting):
            match command:
                case model.SetFlag(change=change) if not _closes(change):
                    if PRODUCTION in command.environments and step.preset is not Preset.SKIPPED:
                        opened.append(step.index)
                    others.update(paths)
                case model.SetFlag() if PRODUCTION in command.environments:
                    for path in paths if step.preset is Preset.OPEN else ():
                        closed.setdefault(path, step.index)
                case model.ReleaseCheck():
                    others.update(paths)
                case _:
                    pass
    return _below_openings(opened, closed, others)


def _below_openings(
    opened: Sequence[int], closed: Mapping[Path, int], others: set[Path]
) -> frozenset[Path]:
    if not opened:
        return frozenset()
    return frozenset(
        path
        for path, first in closed.items()
        if path not in others and first > max(opened) and not _CLEANUP.search(path[-1])
    )


def _readable(step: Chosen, setting: Setting) -> Iterator[model.Command]:
    for written in step.commands:
        with suppress(UsageError):
            yield parse_line(stand_in(filled(written, step, setting), PERCENTAGE, ANY_PERCENTAGE))
