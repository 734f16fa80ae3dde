"""Which chat commands are written in a text?"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from flagstaff.definitions.problems import nearest

_OURS = r"flagstaff\s+(?:run\s+)?(?:feature|flag|auto_deploy|release)\s"
COMMAND = rf"(?:/chatops\s+(?:gitlab\s+)?run\s|/?{_OURS})"
"""How a command begins, at a line's beginning or in code."""
_WRITTEN = re.compile(
    rf"(`+)\s*((?:/chatops\s|/?{_OURS})[^`]*)\1|(?P<bare>/(?:chatops|flagstaff)[ \t\u00a0][^\n`]*)"
    r"|^[ \t]*(?P<typed>flagstaff\s+(?:run\s+)?(?:(?:feature|flag)\s+(?:set|delete)"
    r"|auto_deploy\s+status|release\s+check)\s[^\n`]*)",
    re.IGNORECASE | re.MULTILINE,
)
_RUN = re.compile(rf"{COMMAND}\s*\S", re.IGNORECASE)
_NEAR = re.compile(
    r"(?:(?P<code>`)\s*|\A\s*)(?P<words>(?:(?P<bot>/?[\w-]+)\s+)??(?:gitlab\s+)?(?:run\s+)?"
    r"(?:feature|flag)\s+(?:set|delete)\s+[\w<][^`\n]*)",
    re.IGNORECASE,
)
_BOTS = ("chatops", "flagstaff")
_ESCAPE = re.compile(r"\\([_<>*\[\]~-])")
_PASTED = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2018\u2019\u201a", "'"),
        **dict.fromkeys("\u200b\u2060\ufeff"),
    }
)
"""What a word processor or a chat makes of quotes, and signs without width."""
_DASHES = re.compile(r"(?<=\s)(?:[\u2013\u2014\u2212]|-[\u2013\u2014\u2212])(?=[a-z])")
_HOSTS = {"--gstg": "--staging", "--gstg-ref": "--staging-ref", "--gprd": "--production"}
"""The names of the environments among those who run them."""


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
    found: list[Written] = []
    offset = read = 0
    for match in _WRITTEN.finditer(text):
        words = match[2] or match["bare"] or match["typed"]
        if not _RUN.match(words):
            continue
        if not match[2]:
            words = _ESCAPE.sub(r"\1", words)
        start = match.start()
        offset += text.count("\n", read, start)
        broken = text.rfind("\n", read, start)
        found.append(
            Written(
                text=_as_typed(words, in_code=bool(match[2])),
                offset=offset,
                alone=(broken >= 0 or not read) and not text[broken + 1 : start].strip(),
            )
        )
        read = start
    return tuple(found)


def near_command(text: str) -> str:
    """Return what was probably meant as a command and is none, such as `/chatop run feature set`.

    >>> near_command("In staging: `chatops run feature set quick_search true --staging`")
    'chatops run feature set quick_search true --staging'
    """
    for found in _NEAR.finditer(text):
        bot = (found["bot"] or "").lower()
        if (found["code"] and not bot) or nearest(bot.removeprefix("/"), _BOTS):
            return " ".join(found["words"].split())
    return ""


def _as_typed(words: str, *, in_code: bool) -> str:
    """Return the command as somebody would type it."""
    text = _DASHES.sub("--", html.unescape(words).translate(_PASTED))
    if not in_code:
        text = text.rstrip("*_ \t.,;:")
        for sign in "\"'":
            if text.endswith(sign) and text.count(sign) % 2:
                text = text[:-1].rstrip()
        if text.endswith(")") and "(" not in text:
            text = text[:-1].rstrip()
    return " ".join(_HOSTS.get(word, word) for word in text.split())
