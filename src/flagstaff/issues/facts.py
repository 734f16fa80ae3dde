"""What does an issue say about itself: title, flag, owner, channels?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from flagstaff.definitions.flag_types import WORKER, is_flag_name
from flagstaff.issues.lines import Line
from flagstaff.issues.outline import Heading, Item, Outline
from flagstaff.issues.wording import channels_in, plain
from flagstaff.issues.written import commands_in

_TITLE_COMMENT = re.compile(r"<!--\s*Title:\s*(.*?)\s*(?:-->|$)", re.IGNORECASE)
_TITLE_WORDS = re.compile(r"\[\s*(?:feature flag|ff)\s*\]|feature flag roll ?out", re.IGNORECASE)
_CODE = re.compile(r"`+([^`]+)`+")
_WORD = re.compile(r"[A-Za-z0-9]+(?:(?:_|::)[A-Za-z0-9]+)+")
_AFTER = re.compile(
    r"(?:\benabl(?:e|ing)|\broll(?:ing)? ?out(?: of)?|\[ff\]|\[feature flag\]|:)\s+"
    r"(?:the\s+)?(?:feature flag\s+)?([a-z0-9_]+)\b",
    re.IGNORECASE,
)
_SETS = re.compile(r"\b(?:feature|flag)\s+(?:set|get|delete)\s+`?([A-Za-z0-9_:]+)`?")
_OWNER = re.compile(
    r"(?:individual|\bDRI\b|directly responsible|owner|engineer)[^@\n]*@([\w.-]*\w)", re.IGNORECASE
)
_ASSIGN = re.compile(r"^[ \t]*/assign[ \t]+@([\w.-]*\w)", re.MULTILINE)
_CROSS_POST = re.compile(r"cross-?\s?post", re.IGNORECASE)
_EXECUTED = re.compile(r"\b(?:execut|commands?\b|run\b)", re.IGNORECASE)
_OWNERS = re.compile(r"owner|summary|contact|team", re.IGNORECASE)
_CHANNEL_WORDS = re.compile(r"slack|channel", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A flag's name, and the line where it stands."""

    flag: str
    line: int


def title_of(lines: Sequence[Line], outline: Outline) -> Heading | None:
    """Return the issue's title and its line: a comment, or the first line that reads like one."""
    for line in lines:
        if found := _TITLE_COMMENT.search(line.text):
            return Heading(line=line.number, text=found[1])
    starts = [Heading(line=item.line, text=item.text.split("\n")[0]) for item in outline.items[:3]]
    for heading in sorted((*outline.headings, *starts), key=lambda each: each.line):
        if _TITLE_WORDS.search(heading.text):
            return heading
    return None


def flag_of(title: Heading | None, outline: Outline, known_flags: Container[str]) -> Named | None:
    """Return the flag the issue is about, by its title, its commands or its text."""
    if title is not None:
        names, guesses = _names_in_title(title.text)
        known = [name for name in (*names, *guesses) if name in known_flags]
        if found := (known or names)[:1]:
            return Named(flag=found[0], line=title.line)
    counted: Counter[str] = Counter()
    lines: dict[str, int] = {}
    for item in outline.items:
        for command in commands_in(item.text):
            if found_name := _SETS.search(command.text):
                counted[found_name[1]] += 1
                lines.setdefault(found_name[1], item.line + command.offset)
    if counted:
        flag = counted.most_common(1)[0][0]
        return Named(flag=flag, line=lines[flag])
    return _only_one_known((*outline.headings, *outline.items), known_flags)


def owner_of(text: str, outline: Outline) -> str:
    """Return the person who answers for the rollout, without the `@`; empty if nobody is named."""
    for item in outline.items:
        if found := _OWNER.search(plain(item.text)):
            return found[1]
    assigned = _ASSIGN.search(text)
    return assigned[1] if assigned and assigned[1].lower() not in {"me", "dri"} else ""


def team_channel_of(outline: Outline) -> str:
    """Return the team's channel as the owners' section names it."""
    for item in outline.items:
        owners = any(_OWNERS.search(heading) for heading in item.headings)
        if owners and _CHANNEL_WORDS.search(item.text):
            for channel in channels_in(item.text):
                if "<" not in channel and "TEAM_NAME" not in channel:
                    return channel
    return ""


def cross_post_of(outline: Outline) -> str:
    """Return the paragraph that says where production changes are told, or an empty text."""
    found = (
        item.text
        for item in outline.items
        if _CROSS_POST.search(item.text) and _EXECUTED.search(item.text)
    )
    return next((text for text in found if channels_in(text)), "")


def _names_in_title(title: str) -> tuple[list[str], list[str]]:
    """Return the words that can only be names, and those that may be ordinary words."""
    bare = title.replace("`", " ")
    names = [code.strip() for code in _CODE.findall(title)] + _WORD.findall(bare)
    names = [name for name in dict.fromkeys(names) if is_flag_name(name, type_name=WORKER)]
    return names, _AFTER.findall(bare)


def _only_one_known(texts: Sequence[Heading | Item], known_flags: Container[str]) -> Named | None:
    found: dict[str, int] = {}
    for each in texts:
        for code in _CODE.findall(each.text):
            if code in known_flags:
                found.setdefault(code, each.line)
    if len(found) != 1:
        return None
    flag, line = next(iter(found.items()))
    return Named(flag=flag, line=line)
