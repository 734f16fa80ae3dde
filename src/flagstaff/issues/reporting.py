"""As what is each line of an issue reported?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from flagstaff.definitions.duration import format_duration
from flagstaff.flags.change import PercentageOfActors, PercentageOfTime
from flagstaff.issues.alternatives import Choice, Option
from flagstaff.issues.imported import LineReport
from flagstaff.issues.lines import Line
from flagstaff.issues.masks import Kind
from flagstaff.issues.meaning import Certainty, Draft, Understood
from flagstaff.issues.outline import Item, Outline
from flagstaff.issues.sections import Section, says_rollback
from flagstaff.issues.setting import Setting
from flagstaff.issues.wording import headline
from flagstaff.issues.written import commands_in
from flagstaff.rollouts.plan import Bake, Preset, SetGate, Step

NEVER_DONE = "a rollback is never done by itself"
MENTIONED = "only mentioned here"
CLOSES = (
    "this section only takes back in production what stands above it: that is never done by itself"
)
EXAMPLE = "what stands in code is an example"
COMMENTED = "what stands in a comment is not read"


def reports_of(
    drafts: Iterable[tuple[Draft, Step]],
    choices: Sequence[Choice],
    lines: Sequence[Line],
    outline: Outline,
) -> tuple[LineReport, ...]:
    """Return the report of every line that is not blank, in order.

    A line that goes on with the one before has none of its own, unless a command stands in it.
    """
    by_line: dict[int, list[tuple[Draft, Step]]] = {}
    for draft, step in drafts:
        by_line.setdefault(draft.written_at or draft.line, []).append((draft, step))
    boxes = {draft.line for together in by_line.values() for draft, _ in together}
    found = {line: _of_step(line, together) for line, together in by_line.items()}
    for choice in choices:
        for option in choice.others:
            found.setdefault(option.line, _of_other(choice, option))
    for item in outline.items:
        if item.line in boxes:
            words = headline(item.text)
            found.setdefault(item.line, _plain(item.line, words, Understood.PARENT.value, words))
        else:
            for report in _of_item(item):
                found.setdefault(report.line, report)
    for heading in outline.headings:
        found[heading.line] = _plain(heading.line, heading.text, "heading")
    inner = {at for item in outline.items for at in range(item.line, item.last + 1)}
    for line in lines:
        if line.number not in found and line.text.strip():
            kind, why = _kind(line, outline)
            if line.number not in inner or kind not in {"text", "code"}:
                found[line.number] = _plain(line.number, line.text.strip(), kind, why)
    return tuple(found[at] for at in sorted(found))


def rollback_notes(outline: Outline, setting: Setting) -> tuple[str, ...]:
    """Return how the issue says the rollout is undone, for whoever wants to know."""
    return tuple(
        f"rollback in the issue, line {item.line + command.offset}: "
        f"{setting.answers.fill(command.text)}"
        for item in outline.items
        if item.section.undoes
        for command in commands_in(item.text)
    )


def _of_other(choice: Choice, option: Option) -> LineReport:
    return LineReport(
        line=option.line,
        text=option.text,
        understood_as="another way",
        detail=choice.reason,
        hint=f"`--choose {choice.line}={option.name}` takes this one",
    )


def _of_item(item: Item) -> list[LineReport]:
    """Return the report of an item that is no step, with its commands."""
    commands = commands_in(item.text)
    if item.section.undoes:
        kind = Understood.NOTHING.value
        why = CLOSES if item.section is Section.CLOSING else NEVER_DONE
        own = _plain(item.line, item.text.split("\n")[0], "rollback")
        boxed = item.marker is not None and item.marker.mark is not None
        if boxed and not commands and not says_rollback(item.headings):
            own = replace(own, understood_as=kind, detail=why)
    else:
        own = _plain(item.line, item.text.split("\n")[0], "text")
        kind, why = Understood.NOTHING.value, MENTIONED
    spoken = [_plain(item.line + each.offset, each.text, kind, why) for each in commands]
    return [*spoken, *([] if any(each.line == item.line for each in spoken) else [own])]


def _kind(line: Line, outline: Outline) -> tuple[str, str]:
    if line.is_note:
        return "note", ""
    if line.number in outline.quick:
        return "quick action", ""
    spoken = bool(commands_in(line.text))
    match outline.kinds.get(line.number):
        case Kind.COMMENT:
            return "comment", COMMENTED if spoken else ""
        case Kind.CODE | Kind.COMMAND:
            return "code", EXAMPLE if spoken else ""
        case Kind.FENCE:
            return "code", ""
        case _:
            return "text", ""


def _plain(line: int, text: str, kind: str, why: str = "") -> LineReport:
    return LineReport(line=line, text=text, understood_as=kind, detail=why)


def _of_step(line: int, together: Sequence[tuple[Draft, Step]]) -> LineReport:
    drafts = [draft for draft, _ in together]
    hints = dict.fromkeys(each.hint for each in drafts if each.hint and not _needs_nobody(each))
    return LineReport(
        line=line,
        text=drafts[0].anchor,
        understood_as=drafts[0].understood.value,
        detail=_detail(drafts),
        steps=tuple(step.id for _, step in together),
        certainty=Certainty.of(drafts[0].understood).value,
        hint="; ".join(hints),
    )


def _detail(together: Sequence[Draft]) -> str:
    titles = _ramp(together) or "; ".join(draft.title for draft in together)
    first = together[0]
    match first.preset:
        case Preset.DONE:
            return f"{titles} (already done)"
        case Preset.SKIPPED:
            return f"{titles} (skipped: {first.reason})"
        case Preset.OPEN:
            return titles


def _ramp(together: Sequence[Draft]) -> str:
    sets = [draft.action for draft in together if isinstance(draft.action, SetGate)]
    bakes = [draft.action for draft in together if isinstance(draft.action, Bake)]
    ramp = all(isinstance(each.change, PercentageOfActors | PercentageOfTime) for each in sets)
    if len(sets) != len(bakes) or not sets or not ramp:
        return ""
    where = ", ".join(sets[0].environments)
    if len({action.duration for action in bakes}) > 1:
        held = ", ".join(
            f"{change.change} for {format_duration(bake.duration)}"
            for change, bake in zip(sets, bakes, strict=True)
        )
        return f"ramp in {where}: {held}"
    shares = ", ".join(str(action.change) for action in sets)
    return f"ramp in {where}: {shares}; {format_duration(bakes[0].duration)} each"


def _needs_nobody(draft: Draft) -> bool:
    """Return whether a person's step is none any more, since it is done or skipped."""
    return draft.understood is Understood.PERSON and draft.preset is not Preset.OPEN
