"""Where in the text do the steps of a rollout stand now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flagstaff.issues.lines import Line, anchor_of
from flagstaff.issues.locate import Place, locate
from flagstaff.issues.outline import Outline
from flagstaff.issues.sections import Section
from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rollout import Rollout


def places_of(
    rollout: Rollout, lines: Sequence[Line], outline: Outline
) -> Mapping[int, tuple[Step, ...]]:
    """Return the steps by the line where they stand now; `lines` are without our notes."""
    groups: dict[int, list[Step]] = {}
    for step in rollout.plan.steps:
        if step.line:
            groups.setdefault(step.line, []).append(step)
    wanted = [Place(line=line, anchor=groups[line][0].anchor) for line in sorted(groups)]
    present = [
        Place(line=item.line, anchor=anchor_of(lines[item.line - 1].text))
        for item in outline.items
        if item.section is not Section.ROLLBACK
    ]
    found = locate(wanted, present)
    return {found[line]: tuple(groups[line]) for line in sorted(groups) if line in found}


def after(outline: Outline, line: int) -> int:
    """Return the first line from `line` on at whose end no comment or code is open."""
    while line in outline.inside:
        line += 1
    return line
