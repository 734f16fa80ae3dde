"""Which steps does a plan list?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from flagstaff.definitions.duration import format_duration, parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import MappingNode, Node, ScalarNode
from flagstaff.definitions.percentage import parse_hold_back
from flagstaff.definitions.plans.kind_fields import Around
from flagstaff.definitions.plans.kinds import WORDS, Kind, kinds_of
from flagstaff.definitions.plans.naming import id_of, title_of
from flagstaff.definitions.plans.rules import RULES, read_rules
from flagstaff.definitions.plans.values import raw, step_id, unique, whole
from flagstaff.definitions.problems import suggestion
from flagstaff.definitions.project import RampSettings
from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.flags.percentage import HUNDRED, format_percentage, parse_percentage
from flagstaff.rollouts.checks import ShareOf
from flagstaff.rollouts.plan import Action, Bake, Preset, SetGate, Step

RAMP: Final = "ramp"
DEFAULT_STAGE: Final = "Rollout"
COMMON: Final = ("id", "stage", "title", "state", "reason", "line", "anchor", *RULES)
BY: Final = tuple(each.value for each in ShareOf)
_RAMP_KEYS: Final = ("percentages", "dwell", "hold_back", "by", "environments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A step, and the line of the file in which it begins; `named` says that its id is written."""

    step: Step
    line: int
    named: bool


@dataclass(slots=True, kw_only=True)
class StepReader:
    """Reads steps; a step without a stage belongs to that of the step before."""

    around: Around
    ramp: RampSettings
    stage: str = DEFAULT_STAGE
    lines: dict[str, int] = field(default_factory=dict)

    def read(self, entries: Sequence[Fields]) -> list[Placed]:
        """Return the steps; what is wrong with any of them is noted."""
        return [placed for entry in entries for placed in self._steps(entry)]

    def _steps(self, entry: Fields) -> Iterator[Placed]:
        self.stage = raw(entry, "stage") or self.stage
        known = (*COMMON, *WORDS, RAMP)
        words = [key for key in entry if key in {*WORDS, RAMP}]
        entry.unknown(known, entry.problems.error)
        if len(words) != 1:
            if words or {*entry} <= {*known}:
                self._no_kind(entry, words)
            return
        (word,) = words
        line = min(entry.line(key) for key in entry)
        name = entry.parsed("id", step_id) or ""
        if word == RAMP:
            yield from self._ramp(entry, name, line)
            return
        yield from self._single(entry, word, name, line)

    def _no_kind(self, entry: Fields, words: list[str]) -> None:
        what = " and ".join(f"`{word}`" for word in words)
        entry.problems.error(
            f"has a step that is {what} at once" if words else "has a step that does nothing",
            line=entry.line(words[1]) if words else min(entry.line(key) for key in entry),
            remedy="make a step of each" if words else f"write one of {', '.join((*WORDS, RAMP))}",
        )

    def _single(self, entry: Fields, word: str, name: str, line: int) -> Iterator[Placed]:
        kind, fields, bare_title = _kind_of(entry, word)
        if kind is None or fields is None:
            return
        action = kind.read(fields, self.around)
        given = raw(entry, "title")
        title = bare_title if given is None else given
        preset, reason = _state(entry)
        rules = read_rules(entry)
        if action is None:
            return
        step = Step(
            id=name or id_of(action),
            stage=self.stage,
            title=title_of(action, self.around.flag) if title is None else title,
            action=action,
            line=entry.parsed("line", whole) or 0,
            anchor=raw(entry, "anchor") or "",
            preset=preset,
            reason=reason,
            **rules,
        )
        yield Placed(step=step, line=line, named=bool(name))

    def _ramp(self, entry: Fields, name: str, line: int) -> Iterator[Placed]:
        fields = entry.mapping(RAMP) or Fields(
            MappingNode(items={}, lines={}, line=line), entry.problems, within="ramp."
        )
        before = len(entry.problems.errors)
        fields.unknown(_RAMP_KEYS, fields.problems.error)
        for key in ("title", "state", "reason", "line", "anchor", *RULES):
            if entry.has(key):
                entry.problems.error(
                    f"{entry.label(key)} cannot stand beside `ramp`, which is many steps",
                    line=entry.line(key),
                    remedy="leave it out, or write the steps one by one",
                )
        listed = fields.parsed_list("percentages", parse_percentage)
        shares = listed or self.ramp.percentages
        dwell = fields.parsed("dwell", parse_duration)
        back = fields.parsed("hold_back", parse_hold_back)
        by = fields.choice("by", BY) or "actors"
        environments = fields.parsed_list("environments", str) or ("production",)
        _check_ramp(fields, shares, environments, self.around)
        if len(entry.problems.errors) > before:
            return
        # Who lists the percentages lists all of them.
        back = back if listed or back is not None else self.ramp.hold_back
        ramp = replace(self.ramp, percentages=shares, hold_back=back)
        for share, length in ramp.rungs(self.ramp.dwell if dwell is None else dwell):
            for prefix, action, title in self._rung(share, length, by, environments):
                written = format_percentage(share).replace(".", "-")
                own = name and (name if prefix == RAMP else f"{name}-{prefix}")
                step = Step(
                    id=f"{own or prefix}-{written}", stage=self.stage, title=title, action=action
                )
                yield Placed(step=step, line=line, named=bool(name))

    def _rung(
        self, share: Decimal, dwell: timedelta, by: str, environments: tuple[str, ...]
    ) -> Iterator[tuple[str, Action, str]]:
        change = (
            Boolean(value=True)
            if share == HUNDRED
            else (PercentageOfTime if by == ShareOf.TIME else PercentageOfActors)(value=share)
        )
        action = SetGate(environments=environments, change=change)
        yield RAMP, action, title_of(action, self.around.flag)
        title = f"Hold {format_percentage(share)} % for {format_duration(dwell)}"
        yield "bake", Bake(duration=dwell), title


def with_unique_ids(placed: Sequence[Placed]) -> list[Placed]:
    """Return the steps with ids of their own: those that are made up give way to written ones."""
    taken = {each.step.id for each in placed if each.named}
    return [
        each
        if each.named
        else replace(each, step=replace(each.step, id=unique(each.step.id, taken)))
        for each in placed
    ]


def _kind_of(entry: Fields, word: str) -> tuple[Kind | None, Fields | None, str | None]:
    """Return the kind, its fields, and the title where a single value is one."""
    kinds = kinds_of(word)
    node = entry.node(word)
    scalar = isinstance(node, ScalarNode)
    if scalar and kinds[0].titled and isinstance(node, ScalarNode):
        return kinds[0], _fields(entry, word, {}), node.text
    if node is None or isinstance(node, MappingNode):
        fields = entry.mapping(word) or _fields(entry, word, {})
        kind = kinds[0] if len(kinds) == 1 else _marked(fields, kinds, entry, word)
        return kind, fields, None
    bare = kinds[0].bare
    if not bare:
        entry.mapping(word)
        return None, None, None
    return kinds[0], _fields(entry, word, {bare: node}), None


def _marked(fields: Fields, kinds: tuple[Kind, ...], entry: Fields, word: str) -> Kind | None:
    marks = [kind.mark for kind in kinds]
    found = [kind for kind in kinds if kind.mark in fields]
    if len(found) == 1:
        return found[0]
    wrong = next((key for key in fields if key not in marks), "")
    entry.problems.error(
        f"{entry.label(word)} says {'too much' if found else 'nothing to check'}",
        line=entry.line(word),
        remedy=suggestion(wrong, marks) if not found else "make a step of each",
    )
    return None


def _fields(entry: Fields, word: str, items: dict[str, Node]) -> Fields:
    lines = {key: node.line for key, node in items.items()}
    node = MappingNode(items=items, lines=lines, line=entry.line(word))
    return Fields(node, entry.problems, within=entry.label(word).strip("`") + ".")


def _state(entry: Fields) -> tuple[Preset, str]:
    word = entry.choice("state", (Preset.DONE.value, Preset.SKIPPED.value))
    preset = Preset(word) if word in {Preset.DONE.value, Preset.SKIPPED.value} else Preset.OPEN
    return preset, raw(entry, "reason") or ""


def _check_ramp(
    fields: Fields, shares: Sequence[Decimal], environments: tuple[str, ...], around: Around
) -> None:
    for before, after in pairwise(shares):
        if after <= before:
            fields.problems.error(
                f"`ramp.percentages` does not rise from {before} to {after}",
                line=fields.line("percentages"),
                remedy="write each percentage once, the smallest first",
            )
    for name in environments:
        if name not in around.environments:
            fields.problems.error(
                f"`ramp.environments` names {name!r}, which is no environment",
                line=fields.line("environments"),
                remedy=suggestion(name, around.environments),
            )
