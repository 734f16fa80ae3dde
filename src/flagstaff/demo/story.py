"""How does a rollout read as it happens?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MARKS = {"done": "✓", "skipped": "-", "failed": "✗", "waiting": "?"}


class Story:
    """Tells each thing that happens once, in order.

    Args:
        say: takes one line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: set[tuple[str, str]] = set()
        self._stage = ""

    def tell(self, rollout: Mapping[str, Any]) -> None:
        """Tell what is new since the last look."""
        for step in rollout["steps"]:
            if step["status"] not in MARKS:
                break  # what comes after it is told when it is reached
            key = (step["id"], step["status"])
            if key in self._told:
                continue
            self._told.add(key)
            if step["stage"] != self._stage:
                self._stage = step["stage"]
                self._say(f"\n{self._stage}")
            when = (step["finished_at"] or step["since"] or "")[5:16].replace("T", " ")
            self._say(f"  {when:<11}  {MARKS[step['status']]} {step['title']}")
            if step["note"]:
                self._say(f"                 {step['note']}")

    def remark(self, text: str, *, once: bool = False) -> None:
        """Tell what somebody did or has to do; `once` leaves out what was told before."""
        if not text or (once and ("", text) in self._told):
            return
        self._told.add(("", text))
        self._say(f"               ({text})")
