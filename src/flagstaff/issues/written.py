"""Which chat commands are written in a text?"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"(`+)\s*(/chatops\s[^`]*)\1|(/chatops[ \t\u00a0][^\n`]*)", re.IGNORECASE)
_RUN = re.compile(r"/chatops\s+(?:gitlab\s+)?run\s+\S", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([_<>*\[\]~-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A command as it is written; `offset` counts lines from the beginning of the text.

    `alone` says that nothing stands before it on its line.
    """

    text: str
    offset: int
    alone: bool


def commands_in(text: str) -> tuple[Written, ...]:
    """Return the commands in `text`; `/chatops` without `run` only speaks about them."""
    found = []
    for match in _WRITTEN.finditer(text):
        words = match[2] or match[3]
        if not _RUN.match(words):
            continue
        before = text[: match.start()]
        if match[3]:
            words = _ESCAPE.sub(r"\1", words).rstrip("*_ \t")
        line_start = before.rpartition("\n")[2]
        found.append(
            Written(
                text=" ".join(html.unescape(words).split()),
                offset=before.count("\n"),
                alone=not line_start.strip(),
            )
        )
    return tuple(found)
