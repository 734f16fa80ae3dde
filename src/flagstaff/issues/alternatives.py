"""Which of the ways that one box offers is taken, and how is another chosen?"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flagstaff.issues.chosen import Chosen
from flagstaff.issues.command_steps import filled
from flagstaff.issues.placeholders import CLEANUP, PERCENTAGE, left_in, normal
from flagstaff.issues.setting import Setting
from flagstaff.rollouts.plan import Preset

ACTORS, RANDOM = "actors", "random"
_OR = re.compile(
    r"\b(?:or|either|one of|alternatively|alternatives?|depending|whichever|choose|pick)\b"
    r"|\b(?:type of actor|actor type|if (?:relevant|applicable))\b",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"--(actors|random|project|group|namespace|user|repository|feature-group|expression)\b"
)
_VALUE = re.compile(r"\b(?:feature|flag)\s+(?:set|delete|get)\s+\S+\s+(true|false)\b")

Spot = tuple[int, int]
"""A command: the index of its item, and its number in the item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way: what it is called where it is chosen, where it stands, and what is written there."""

    name: str
    at: Spot
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Several ways of which one is taken; `why` says why this one.

    `line` is that of the box, and the name of the choice.
    """

    line: int
    options: tuple[Option, ...]
    taken: str
    why: str

    @property
    def others(self) -> tuple[Option, ...]:
        """Return the ways that are not taken."""
        return tuple(option for option in self.options if option.name != self.taken)

    @property
    def reason(self) -> str:
        """Return why the others are not taken."""
        return f"one way of several: {self.taken} is taken, {self.why}"

    @property
    def hint(self) -> str:
        """Return how another way is taken."""
        names = " or ".join(f"`--choose {self.line}={each.name}`" for each in self.others)
        return f"{names} takes another way"


def choices_in(
    steps: Sequence[Chosen], setting: Setting, *, without_actor: bool | None
) -> tuple[Choice, ...]:
    """Return the boxes that offer several ways.

    These are several commands in one box, or in items without a box of their own below it, where
    the words say that they are alternatives.
    """
    found = []
    unboxed: dict[int | None, list[Chosen]] = defaultdict(list)
    for each in steps:
        if each.commands and (each.item.marker is None or each.item.marker.mark is None):
            unboxed[each.parent].append(each)
    for step in steps:
        if step.preset is not Preset.OPEN:
            continue
        below = unboxed[step.index]
        words = _words(step)
        if len(step.commands) > 1 and _OR.search(words):
            spots = [(step, number) for number in range(len(step.commands))]
        elif not step.commands and len(below) > 1 and _are_alternatives(words, below):
            spots = [(each, number) for each in below for number in range(len(each.commands))]
        else:
            continue
        options = _options(spots, setting)
        taken, why = _taken(step.item.line, options, setting, without_actor=without_actor)
        found.append(Choice(line=step.item.line, options=options, taken=taken, why=why))
    return tuple(found)


def chosen_name(choices: Mapping[str, str], lines: Sequence[int], names: Sequence[str]) -> str:
    """Return which of `names` was asked for, for one of `lines` or for every choice."""
    asked = [choices[str(line)] for line in lines if str(line) in choices]
    asked += [name for key, name in choices.items() if key == name]
    return next((name for name in asked if name in names), "")


def _words(step: Chosen) -> str:
    """Return the item's text without its commands."""
    return re.sub(r"`[^`]*`|/(?:chatops|flagstaff)\b[^\n]*", " ", step.item.text)


def _are_alternatives(words: str, below: Sequence[Chosen]) -> bool:
    if _OR.search(words):
        return True
    texts = [" ".join(_words(each) for each in (step,)) for step in below]
    return all(re.match(r"\W*(?:if|when|or)\b", text, re.IGNORECASE) for text in texts)


def _options(spots: Sequence[tuple[Chosen, int]], setting: Setting) -> tuple[Option, ...]:
    texts = [filled(step.commands[number], step, setting) for step, number in spots]
    names = [_name(text) for text in texts]
    often = Counter(names)
    return tuple(
        Option(
            name=name if name and often[name] == 1 else str(at),
            at=(step.index, number),
            line=step.item.line + step.commands[number].offset,
            text=text,
        )
        for at, (name, text, (step, number)) in enumerate(
            zip(names, texts, spots, strict=True), start=1
        )
    )


def _name(text: str) -> str:
    if found := _OPTION.search(text):
        return found[1]
    return found[1] if (found := _VALUE.search(text)) else ""


def _taken(
    line: int, options: Sequence[Option], setting: Setting, *, without_actor: bool | None
) -> tuple[str, str]:
    names = [option.name for option in options]
    asked = chosen_name(setting.choices, [line, *(option.line for option in options)], names)
    if asked:
        return asked, "as you chose"
    if str(line) in setting.choices:
        what = f"`{setting.choices[str(line)]}` is none of the ways that this box offers"
        setting.problem(line, what, f"`--choose {line}=` and one of {', '.join(names)}")
    by_time = without_actor or (without_actor is None and setting.renamed)
    if RANDOM in names and by_time:
        return RANDOM, "since the flag is evaluated without an actor"
    if ACTORS in names:
        return ACTORS, "since an actor keeps its answer from check to check"
    for option in options:
        if all(normal(name) in PERCENTAGE | CLEANUP for name in left_in(option.text)):
            return option.name, "the first that names nobody yet to be filled in"
    return names[0], "the first"
