"""How does `<rollout-percentage>` become a ramp, and which of two ramps applies?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from flagstaff.definitions.duration import format_duration
from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.flags.percentage import format_percentage
from flagstaff.issues.alternatives import ACTORS, RANDOM, chosen_name
from flagstaff.issues.chosen import Chosen
from flagstaff.issues.command_steps import filled
from flagstaff.issues.meaning import MARKED, Draft, Understood
from flagstaff.issues.placeholders import PERCENTAGE, has
from flagstaff.issues.ramp_words import Share
from flagstaff.issues.setting import PRODUCTION, Setting
from flagstaff.rollouts.plan import Bake, DeleteFlag, Preset, SetGate

WITHOUT_ACTOR = "this flag is evaluated without an actor, so a percentage of actors cannot open it"
WITH_ACTOR = "this flag is evaluated with an actor, and a percentage of actors keeps its answers"
BOTH_OPEN = "the ramp by actors applies: an actor keeps its answer from check to check"


AT_ONCE = "nothing in production comes before: it is opened for everyone in one step"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line that opens the flag for a share of actors, or of time."""

    step: Chosen
    actors: bool
    ramp: bool

    @property
    def name(self) -> str:
        return ACTORS if self.actors else RANDOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Why a line is not taken; `hint` says how it would be."""

    reason: str
    hint: str = ""


def skipped_ramps(
    steps: Sequence[Chosen], setting: Setting, *, without_actor: bool | None
) -> Mapping[int, Left]:
    """Return why lines do not apply, by the index of their item.

    Args:
        steps: All steps of the issue.
        setting: The project and the flag, and which way somebody chose.
        without_actor: What the project's code says; `None` when nobody knows, then the marks of
            the issue decide.
    """
    lines = [line for step in steps for line in _shares(step, setting)]
    never_by_actors = without_actor or (without_actor is None and setting.renamed)
    skipped: dict[int, Left] = {}
    for line in lines:
        marked = line.step.preset is Preset.SKIPPED and line.step.reason == MARKED
        if line.actors and marked and never_by_actors:
            skipped[line.step.index] = Left(reason=WITHOUT_ACTOR)
        if line.step.preset is not Preset.OPEN:
            continue
        rivals = [other for other in lines if _are_rivals(line, other)]
        hint = f"`--choose {line.step.item.line}={line.name}` takes this one" if rivals else ""
        if rivals and (asked := _asked(line, rivals, setting)):
            if line.name != asked:
                skipped[line.step.index] = Left(reason=f"{asked} was chosen", hint=hint)
        elif line.actors and (without_actor or (never_by_actors and rivals)):
            skipped[line.step.index] = Left(reason=WITHOUT_ACTOR, hint=hint)
        elif not line.actors and line.ramp and rivals and not never_by_actors:
            why = BOTH_OPEN if without_actor is None else WITH_ACTOR
            skipped[line.step.index] = Left(reason=why, hint=hint)
    return skipped


def rungs(draft: Draft, setting: Setting, shares: Sequence[Share] = ()) -> tuple[Draft, ...]:
    """Return the steps of a ramp in the place of one `draft`.

    `shares` are the percentages that the issue lists itself; without them the configured ones.
    """
    least = max(setting.dwell, draft.holds or setting.dwell)
    draft = replace(draft, holds=None)
    action = draft.action
    if not isinstance(action, SetGate):
        return (draft,)
    kind = PercentageOfActors if isinstance(action.change, PercentageOfActors) else PercentageOfTime
    steps: list[Draft] = []
    listed = tuple((share, max(least, length or least)) for share, length in shares)
    for share, dwell in listed or setting.project.ramp.rungs(least):
        change = kind(value=share)
        where = ", ".join(action.environments)
        steps.append(
            replace(
                draft,
                slug=f"ramp-{_slug(share)}",
                title=f"Set {setting.flag} to {change} in {where}",
                action=replace(action, change=change),
            )
        )
        steps.append(_bake(draft, share, dwell))
    return tuple(steps)


def with_bakes(drafts: Sequence[Draft], dwell: timedelta) -> tuple[Draft, ...]:
    """Return the steps with a wait after each share in production that nothing follows up.

    Where the words beside a change say how long it is held, the wait is as long, at least.
    """
    steps: list[Draft] = []
    for at, draft in enumerate(drafts):
        steps.append(draft)
        share = _share_in_production(draft)
        if draft.holds is not None and isinstance(draft.action, SetGate):
            if draft.preset is Preset.OPEN:
                length = draft.holds if share is None else max(dwell, draft.holds)
                steps.append(_held(draft, share, length))
            continue
        if share is not None and not _waits(drafts[at + 1 :]):
            steps.append(_bake(draft, share, dwell))
    return tuple(steps)


def with_warning(drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Return the steps with a hint where production is opened for everyone with no share before."""
    steps = list(drafts)
    for at, draft in enumerate(steps):
        action = draft.action
        if draft.preset is not Preset.OPEN or not isinstance(action, SetGate):
            continue
        if PRODUCTION not in action.environments or action.change == Boolean(value=False):
            continue
        if action.change == Boolean(value=True) and not draft.hint:
            steps[at] = replace(draft, hint=AT_ONCE)
        break
    return tuple(steps)


def rival_ramps(steps: Sequence[Chosen], setting: Setting) -> Mapping[int, tuple[str, ...]]:
    """Return the lines of ramps of which only one is taken, each with the names of both."""
    lines = [line for step in steps for line in _shares(step, setting)]
    return {
        line.step.item.line: (ACTORS, RANDOM)
        for line in lines
        if any(_are_rivals(line, other) for other in lines)
    }


def _shares(step: Chosen, setting: Setting) -> list[_Line]:
    found = []
    for command in step.commands:
        text = filled(command, step, setting)
        for modifier in ("--actors", "--random"):
            if modifier in text.split():
                ramp = has(text, PERCENTAGE)
                found.append(_Line(step=step, actors=modifier == "--actors", ramp=ramp))
    return found


def _asked(line: _Line, rivals: Sequence[_Line], setting: Setting) -> str:
    spots = [line.step.item.line, *(rival.step.item.line for rival in rivals)]
    return chosen_name(setting.choices, spots, (ACTORS, RANDOM))


def _are_rivals(line: _Line, other: _Line) -> bool:
    return (
        other.actors is not line.actors
        and other.ramp
        and line.ramp
        and other.step.index != line.step.index
        and other.step.preset is Preset.OPEN
        and other.step.item.headings == line.step.item.headings
    )


def _share_in_production(draft: Draft) -> Decimal | None:
    action = draft.action
    if draft.preset is not Preset.OPEN or not isinstance(action, SetGate):
        return None
    if PRODUCTION not in action.environments:
        return None
    if isinstance(action.change, PercentageOfActors | PercentageOfTime):
        return action.change.value or None
    return None


def _waits(following: Sequence[Draft]) -> bool:
    for draft in following:
        if draft.preset is not Preset.OPEN:
            continue
        if isinstance(draft.action, Bake):
            return True
        if isinstance(draft.action, SetGate | DeleteFlag):
            return False
    return False


def _held(draft: Draft, share: Decimal | None, length: timedelta) -> Draft:
    if share is not None:
        return _bake(replace(draft, hint=""), share, length)
    return replace(
        draft,
        slug=f"wait-{format_duration(length)}".replace(" ", "-"),
        title=f"Wait {format_duration(length)}",
        action=Bake(duration=length),
        understood=Understood.WAIT,
        hint="",
    )


def _bake(draft: Draft, share: Decimal, dwell: timedelta) -> Draft:
    return replace(
        draft,
        slug=f"bake-{_slug(share)}",
        title=f"Hold {format_percentage(share)} % for {format_duration(dwell)}",
        action=Bake(duration=dwell),
        understood=Understood.WAIT,
    )


def _slug(share: Decimal) -> str:
    return format_percentage(share).replace(".", "-")
