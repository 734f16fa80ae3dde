"""Which items of an issue are steps, and how do they stand?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flagstaff.issues.meaning import MARKED
from flagstaff.issues.outline import Item, Outline
from flagstaff.issues.sections import Section, is_optional
from flagstaff.issues.written import Written, commands_in
from flagstaff.rollouts.plan import Preset

OPTIONAL = "the section is optional; take the word out of its heading to have it done"
ONLY_ON_FAILURE = "only needed when something fails; a person runs it then"
_FAILURE = re.compile(
    r"\b(?:if|when|in case)\b[^.]*\b(?:fail|break|broke|wrong|problem|issue|error|incident)",
    re.IGNORECASE,
)
_SWITCHES_OFF = re.compile(r"\s(?:false|0)(?:\s|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An item that is a step, with its commands; `reason` says why it is skipped.

    `parent` is the index of the step it is nested in; `leaf` says that no step is nested in it.
    `context` is its own text and the texts above it, the nearest first.
    """

    index: int
    item: Item
    commands: tuple[Written, ...]
    preset: Preset
    reason: str
    parent: int | None
    leaf: bool
    context: tuple[str, ...]


def chosen_steps(outline: Outline) -> tuple[Chosen, ...]:
    """Return the items that are steps, in the order of the text."""
    without_boxes = outline.bullets_are_steps
    picked = [index for index, item in enumerate(outline.items) if _is_step(item, without_boxes)]
    among = set(picked)
    parents = {
        index: next((above for above in outline.items[index].above if above in among), None)
        for index in picked
    }
    with_children = set(parents.values())
    found = []
    for index in picked:
        item = outline.items[index]
        commands = commands_in(item.text)
        texts = (item.text, *(outline.items[above].text for above in item.above))
        inherits = not without_boxes and (item.marker is None or item.marker.mark is None)
        own = item.marker.preset if item.marker else Preset.OPEN
        preset, reason = _standing(
            _inherited(outline, item) if inherits else own, item, commands, texts
        )
        found.append(
            Chosen(
                index=index,
                item=item,
                commands=commands,
                preset=preset,
                reason=reason,
                parent=parents[index],
                leaf=index not in with_children,
                context=texts,
            )
        )
    return tuple(found)


def _is_step(item: Item, bullets_are_steps: bool) -> bool:  # noqa: FBT001 one fact of the issue
    if item.section.undoes or not item.text.strip():
        return False
    if item.marker is not None and item.marker.mark is not None:
        return True
    if item.section is not Section.STEPS:
        return False
    commands = commands_in(item.text)
    if item.fenced and not bullets_are_steps:
        return False
    if item.marker is None:
        return any(command.alone for command in commands)
    return bullets_are_steps or bool(commands)


def _standing(
    preset: Preset, item: Item, commands: tuple[Written, ...], texts: tuple[str, ...]
) -> tuple[Preset, str]:
    if preset is not Preset.OPEN:
        return preset, MARKED if preset is Preset.SKIPPED else ""
    if is_optional(item.headings):
        return Preset.SKIPPED, OPTIONAL
    off = any(_SWITCHES_OFF.search(command.text) for command in commands)
    if off and any(_FAILURE.search(text) for text in texts):
        return Preset.SKIPPED, ONLY_ON_FAILURE
    return Preset.OPEN, ""


def _inherited(outline: Outline, item: Item) -> Preset:
    for index in item.above:
        marker = outline.items[index].marker
        if marker is not None and marker.mark is not None:
            return marker.preset
    return Preset.OPEN
