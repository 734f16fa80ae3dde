"""Which plan does an issue describe that was edited while its rollout was under way?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher

from flagstaff.issues.follow import unfollow
from flagstaff.issues.lines import marker_of, split_lines
from flagstaff.issues.outline import outline_of
from flagstaff.issues.placing import places_of
from flagstaff.rollouts.plan import Plan, Preset, SetGate, Step
from flagstaff.rollouts.rollout import Rollout

_OPEN = "[ ]"


def as_it_began(text: str, rollout: Rollout) -> str:
    """Return the issue without what the rollout has noted in it, and with its own boxes open."""
    lines = split_lines(unfollow(text))
    own = {
        line
        for line, steps in places_of(rollout, lines, outline_of(lines)).items()
        if all(step.preset is Preset.OPEN for step in steps)
    }
    return "".join(
        (_open(line.text) if line.number in own else line.text) + line.ending for line in lines
    )


def replanned(rollout: Rollout, read: Plan) -> Plan:
    """Return the plan of an issue that was read again, with the ids that its steps have.

    Steps that are over stay as they were, wherever their line is now. Those that have no line,
    because they were added to the plan alone, stay behind the step they stood behind.
    """
    before = [step for step in rollout.plan.steps if step.line]
    pairs = dict(_pairs(before, read.steps))
    taken = {step.id for step in rollout.plan.steps}
    steps = []
    for at, step in enumerate(read.steps):
        old = pairs.get(at)
        if old is None:
            steps.append(replace(step, id=_unused(step.id, taken)))
            continue
        if rollout.state(old.id).status.finished:
            steps.append(replace(old, line=step.line, anchor=step.anchor))
        else:
            steps.append(replace(step, id=old.id, preset=old.preset, reason=old.reason))
    return replace(rollout.plan, steps=tuple(_with_unplaced(rollout.plan.steps, steps)))


def _pairs(before: list[Step], after: tuple[Step, ...]) -> Iterator[tuple[int, Step]]:
    """Yield the index of each new step with the old one that it is."""
    matcher = SequenceMatcher(
        a=[_key(each) for each in before], b=[_key(each) for each in after], autojunk=False
    )
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        olds, news = before[old_from:old_to], after[new_from:new_to]
        kinds = [type(each.action) for each in olds] == [type(each.action) for each in news]
        if tag == "equal" or (tag == "replace" and kinds):
            yield from enumerate(olds, start=new_from)


def _key(step: Step) -> tuple[str, str, str]:
    change = str(step.action.change) if isinstance(step.action, SetGate) else ""
    return step.anchor, type(step.action).__name__, change


def _with_unplaced(before: tuple[Step, ...], after: list[Step]) -> list[Step]:
    steps = list(after)
    previous = ""
    for step in before:
        if not step.line:
            ids = [each.id for each in steps]
            steps.insert(ids.index(previous) + 1 if previous in ids else 0, step)
        if step.id in {each.id for each in steps}:
            previous = step.id
    return steps


def _open(text: str) -> str:
    marker = marker_of(text)
    if marker is None or marker.mark is None:
        return text
    at = len(marker.indent) + len(marker.bullet) + len(marker.gap)
    return f"{text[:at]}{_OPEN}{text[at + len(_OPEN) :]}"


def _unused(wanted: str, taken: set[str]) -> str:
    number, found = 1, wanted
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    taken.add(found)
    return found
