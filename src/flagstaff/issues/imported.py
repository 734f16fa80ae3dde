"""What came of reading an issue, line by line?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flagstaff.definitions.duration import format_duration
from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.outline import Outline
from flagstaff.issues.sections import Section
from flagstaff.issues.written import commands_in
from flagstaff.rollouts.plan import Bake, Plan, Preset, SetGate


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """As what one line was understood."""

    line: int
    text: str
    understood_as: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A plan, and how it came about.

    `unresolved` are the placeholders that nothing answered in lines that are not done.
    """

    plan: Plan
    flag: str
    lines: tuple[LineReport, ...]
    unresolved: tuple[str, ...] = ()


def describe_import(imported: Imported) -> str:
    """Return the report, one line of the issue per line, such as `12: wait — Wait 1 d`."""
    reports = [
        f"{report.line}: {report.understood_as} \u2014 {report.detail}" for report in imported.lines
    ]
    return "\n".join(reports)


def reports_of(drafts: Sequence[Draft], outline: Outline) -> tuple[LineReport, ...]:
    """Return the report of every line that is a step, and of commands that are none."""
    by_line: dict[int, list[Draft]] = {}
    for draft in drafts:
        by_line.setdefault(draft.line, []).append(draft)
    reports = [
        LineReport(
            line=line,
            text=together[0].anchor,
            understood_as=together[0].understood.value,
            detail=_detail(together),
        )
        for line, together in by_line.items()
    ]
    for item in outline.items:
        for command in commands_in(item.text):
            line = item.line + command.offset
            if item.line not in by_line:
                rollback = item.section is Section.ROLLBACK
                why = "a rollback is never done by itself" if rollback else "only mentioned here"
                reports.append(
                    LineReport(
                        line=line,
                        text=command.text,
                        understood_as=Understood.NOTHING.value,
                        detail=why,
                    )
                )
    return tuple(sorted(reports, key=lambda report: report.line))


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
    if len(sets) != len(bakes) or not sets:
        return ""
    shares = ", ".join(str(action.change) for action in sets)
    where = ", ".join(sets[0].environments)
    return f"ramp in {where}: {shares}; {format_duration(bakes[0].duration)} each"
