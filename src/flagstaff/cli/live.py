"""What does a rollout look like on a terminal while it runs?"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any, Final, Self

from rich.live import Live
from rich.text import Text

from flagstaff.cli.progress import MARKS, details, guard_line, headline, step_line, suggestion

BAR = 30
AROUND = 7
"""Lines that are not steps: headline, title, bar, gaps and the last lines."""

STYLES: Final = {
    "pending": "dim",
    "active": "blue",
    "waiting": "yellow",
    "done": "green",
    "skipped": "dim",
    "failed": "red",
    "running": "blue",
    "paused": "yellow",
    "expired": "yellow",
    "completed": "green",
    "rolled_back": "red",
    "pass": "green",
    "fail": "red",
}

Json = Mapping[str, Any]


def picture(rollout: Json, *, width: int, height: int, note: str = "") -> Text:
    """Return the picture of a rollout on at most `height` lines, the present step in sight.

    Args:
        rollout: as the server describes it.
        width: of the terminal, in columns.
        height: of the terminal, in lines.
        note: talk that belongs below the picture.
    """
    lines = [_headline(rollout), Text(rollout["title"], "dim"), _bar(rollout), Text()]
    guards = [_guard(each) for each in rollout["guards"]]
    lines += _window(*_step_lines(rollout, width), max(3, height - AROUND - len(guards)))
    lines += [Text(), *guards] if guards else []
    lines += [Text(), _last_line(rollout, note)]
    text = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _headline(rollout: Json) -> Text:
    return Text(headline(rollout), f"bold {STYLES.get(rollout['phase'], '')}")


def _bar(rollout: Json) -> Text:
    done, total = rollout["done"], max(1, rollout["total"])
    full = BAR * done // total
    bar = Text("━" * full, STYLES.get(rollout["phase"], "blue"))
    return bar.append("─" * (BAR - full), "dim").append(f"  {done} of {rollout['total']} steps")


def _window(lines: list[Text], present: int, height: int) -> list[Text]:
    """Return the lines, or those around the present one where all are too many."""
    if len(lines) <= height:
        return lines
    first = min(max(0, present - height // 2), len(lines) - height)
    shown = lines[first : first + height]
    if first:
        shown[0] = Text(f"  ↑ {first + 1} more lines", "dim")
    if below := len(lines) - first - height:
        shown[-1] = Text(f"  ↓ {below + 1} more lines", "dim")
    return shown


def _step_lines(rollout: Json, width: int) -> tuple[list[Text], int]:
    """Return the lines of all steps, and which of them is the present step's."""
    lines: list[Text] = []
    present, stage = 0, ""
    current = rollout["step"]["id"] if rollout["step"] else None
    for step in rollout["steps"]:
        if step["stage"] != stage:
            stage = step["stage"]
            lines.append(Text(stage, "bold"))
        style = STYLES[step["status"]]
        line = Text("  ").append(step_line(step)[: len(MARKS[step["status"]])], style)
        lines.append(line.append(f" {step['title']}", "dim" if style == "dim" else ""))
        more = details(step)
        if step["id"] == current:
            present = len(lines)
            lines += [Text(f"      {part}") for part in wrap(more, max(20, width - 8))]
        elif more and step["status"] not in {"pending", "skipped"}:
            lines.append(Text(f"      {more}", "dim"))
    return lines, present or len(lines)


def _guard(guard: Json) -> Text:
    return Text(guard_line(guard), STYLES.get(guard["verdict"] or "", "dim"))


def _last_line(rollout: Json, note: str) -> Text:
    if note:
        return Text(note, "yellow")
    if command := suggestion(rollout):
        return Text(f"next: {command}", "yellow")
    return Text("Ctrl-C ends the watching, not the rollout", "dim")


class Picture:
    """The picture on the terminal, drawn anew in place; what is last stays there."""

    def __init__(self) -> None:
        self._live = Live(auto_refresh=False, vertical_overflow="crop")
        self._rollout: Json | None = None
        self._note = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, rollout: Json) -> None:
        """Draw the rollout as it stands."""
        if self._rollout is None:
            self._live.start()
        self._rollout = rollout
        self._draw()

    def tell(self, note: str) -> None:
        """Put a note below the picture."""
        self._note = note
        self._draw()

    def _draw(self) -> None:
        if self._rollout is not None:
            width, height = self._live.console.size
            shown = picture(self._rollout, width=width, height=height, note=self._note)
            self._live.update(shown, refresh=True)
