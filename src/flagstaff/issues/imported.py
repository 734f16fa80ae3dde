"""What came of reading an issue, line by line?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.issues.alternatives import Choice
from flagstaff.rollouts.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """As what one line was understood.

    Attributes:
        understood_as: Its kind.
        detail: What will be done, or why nothing is.
        steps: The ids of its steps.
        certainty: For a step: `written` as a command, read from `words`, or left to a `person`.
        hint: What somebody may want to do about the line.
    """

    line: int
    text: str
    understood_as: str
    detail: str
    steps: tuple[str, ...] = ()
    certainty: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A plan, and how it came about.

    `unresolved` are the placeholders that nothing answered in lines that are not done.
    """

    plan: Plan
    flag: str
    lines: tuple[LineReport, ...]
    choices: tuple[Choice, ...] = ()
    unresolved: tuple[str, ...] = ()


def describe_import(imported: Imported) -> str:
    """Return the report of what is a step, or could be taken for one, a line for each line.

    Such as `12: wait — Wait 1 d`; what is only read stands in `lines` alone.
    """
    reports = []
    for report in imported.lines:
        if not report.steps and not report.detail:
            continue
        hint = f" [{report.hint}]" if report.hint else ""
        reports.append(f"{report.line}: {report.understood_as} \u2014 {report.detail}{hint}")
    return "\n".join(reports)
