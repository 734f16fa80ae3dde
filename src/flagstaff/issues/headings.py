"""Which lines of an issue are headings, marked as one or not?"""

from __future__ import annotations

import re

from flagstaff.issues.lines import marker_of

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*")
_SUMMARY = re.compile(r"[ \t]*(?:<details[^>]*>)?[ \t]*<summary>(.*?)</summary>.*", re.IGNORECASE)
_BOLD = re.compile(r" {0,3}(\*\*|__)(?=\S)((?:(?!\1).)+?)(?<=\S)\1[ \t]*:?[ \t]*")
DETAILS_END = re.compile(r"[ \t]*</details>", re.IGNORECASE)
UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
RULE = re.compile(r" {0,3}(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]+){2,}-?[ \t]*")
_BOLD_LEVEL, SUMMARY_LEVEL, PLAIN_LEVEL, _LONGEST = 7, 8, 1, 90


def heading_in(text: str, below: str | None) -> tuple[int, str] | None:
    """Return the level and the words of a heading that is marked as one.

    Args:
        text: The line.
        below: The next line, `None` where it cannot underline this one.
    """
    if found := _HEADING.fullmatch(text):
        return len(found[1]), found[2]
    if found := _SUMMARY.fullmatch(text):
        return SUMMARY_LEVEL, found[1]
    if (found := _BOLD.fullmatch(text)) and len(found[2]) <= _LONGEST:
        return _BOLD_LEVEL, found[2]
    if below is not None and (line := UNDERLINE.fullmatch(below)) and _may_be_underlined(text):
        return (1 if "=" in line[1] else 2), text.strip()
    return None


def is_marked(text: str, below: str | None) -> bool:
    """Return whether the line is a heading of Markdown, so that others need not be guessed."""
    if _HEADING.fullmatch(text):
        return True
    underlined = below is not None and UNDERLINE.fullmatch(below) is not None
    return underlined and _may_be_underlined(text)


def reads_like_heading(text: str) -> bool:
    """Return whether a line that stands alone reads like a heading."""
    words = text.strip()
    starts = not words.startswith(("/", "`", "<", "|", ">"))
    return starts and len(words) <= _LONGEST and not words.endswith((".", ":", ",", ";"))


def _may_be_underlined(text: str) -> bool:
    words = text.strip()
    return bool(words) and marker_of(text) is None and not words.startswith((">", "|", "/", "`"))
