"""What does the first message of a rollout's thread say, in whichever chat program?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flagstaff.rollouts.rollout import Phase
from flagstaff.services.views import RolloutView

SIGNS: Final = {
    Phase.PENDING: ":white_circle:",
    Phase.RUNNING: ":large_blue_circle:",
    Phase.WAITING: ":large_yellow_circle:",
    Phase.PAUSED: ":double_vertical_bar:",
    Phase.COMPLETED: ":white_check_mark:",
    Phase.ROLLED_BACK: ":rewind:",
    Phase.EXPIRED: ":hourglass:",
}


@dataclass(frozen=True, slots=True)
class Markup:
    """How a chat program marks text; `bold` and `link` take what is escaped already."""

    escaped: Callable[[str], str]
    bold: Callable[[str], str]
    link: Callable[[str, str], str]


def headline(view: RolloutView, markup: Markup) -> str:
    """Return the rollout on one line."""
    summary = view.summary
    phase = summary.phase.replace("_", " ")
    line = f"Rollout {summary.id} of `{markup.escaped(summary.flag)}`: {phase}"
    return f"{SIGNS[summary.phase]} {markup.bold(line)}, {summary.done}/{summary.total} steps"


def facts(view: RolloutView, markup: Markup, address: str) -> str:
    """Return where the rollout is, why, what its guards found, and where it is shown."""
    summary, lines = view.summary, []
    if summary.step is not None and not summary.phase.finished:
        step = summary.step
        now = f"{markup.escaped(step.stage)} · {markup.escaped(step.title)}"
        lines.append(f"{markup.bold('Now:')} {now}")
        if step.until is not None:
            lines.append(f"until {step.until:%Y-%m-%d %H:%M} UTC at the earliest")
        if step.note:
            lines.append(markup.escaped(step.note))
    if summary.reason:
        lines.append(f"{markup.bold('Why:')} {markup.escaped(summary.reason)}")
    lines += [
        f"{markup.bold(markup.escaped(guard.name) + ':')} {guard.verdict or 'no reading yet'} "
        f"{markup.escaped(guard.evidence)}"
        for guard in view.guards
    ]
    if address:
        lines.append(markup.link("Open the rollout", f"{address}/rollouts/{summary.id}"))
    return "\n".join(lines) or "—"
