"""How does a rollout issue read that Flagstaff writes itself?"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flagstaff.issues.facts import title_of
from flagstaff.issues.lines import split_lines
from flagstaff.issues.outline import outline_of
from flagstaff.issues.placeholders import Answers
from flagstaff.issues.wording import plain

BUILT_IN = Path(__file__).parent / "rollout_template.md"


@cache
def built_in_template() -> str:
    """Return the template for projects that have none of their own."""
    return BUILT_IN.read_text(encoding="utf-8")


def issue_of(template: str, answers: Answers) -> tuple[str, str]:
    """Return title and text of an issue made of a template.

    Placeholders with an answer are filled in; the others stay, for people and for the import.
    """
    text = answers.fill(template)
    lines = split_lines(text)
    heading = title_of(lines, outline_of(lines))
    title = plain(heading.text) if heading else ""
    return title or f"[Feature flag] Enable {answers.flag}", text
