"""Which comments go with what they speak of, and which stay for what is below?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import libcst as cst

from flagstaff.cleanup.patterns import word

# `this switch` and a feature flag are the one that is asked for; `the flag` may be any other.
_THIS = re.compile(
    r"\bthis (?:\w+[ -])?(?:flag|switch|toggle)\b|\bfeature[ -](?:flag|switch|toggle)\b"
    r"|\bwaffle (?:flag|switch|sample)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:flags|switches|toggles|samples|features|experiments|rollouts|settings|options"
    r"|constants|variables|names|keys|values|defaults|parameters)\b",
    re.IGNORECASE,
)
_Lines = tuple[cst.EmptyLine, ...]


def heads_several(comments: Iterable[str]) -> bool:
    """Tell whether comments speak of all that follows, as `Feature flags` does.

    >>> heads_several(["# Feature flags, sorted by name"]), heads_several(["# The new menu"])
    (True, False)
    """
    return any(_SEVERAL.search(comment) for comment in comments)


def heading(lines: Sequence[cst.EmptyLine], flag: str = "") -> _Lines:
    """Return the comment right above a statement, if it heads more than that one."""
    run = tuple(reversed([*itertools.takewhile(_is_comment, reversed(lines))]))
    texts = [line.comment.value for line in run if line.comment is not None]
    speaks = bool(flag) and any(word(flag).search(text) for text in texts)
    return run if heads_several(texts) and not speaks else ()


def without_speaking(lines: Sequence[cst.EmptyLine], flag: str) -> _Lines:
    """Drop the runs of comment lines above a condition that speak of the flag in it."""
    if not flag:
        return tuple(lines)
    pattern, out = word(flag), list[cst.EmptyLine]()
    for is_comment, group in itertools.groupby(lines, _is_comment):
        run = list(group)
        text = " ".join(line.comment.value.lstrip("# ") for line in run if line.comment)
        if not is_comment or not (pattern.search(text) or _THIS.search(text)):
            out += run
    return tuple(out)


def begins_apart(lines: Sequence[cst.EmptyLine]) -> bool:
    """Tell whether a blank line stands above a statement and its comments."""
    return bool(lines) and not _is_comment(lines[0])


def without_first_blanks(lines: Sequence[cst.EmptyLine]) -> _Lines:
    """Return the lines above a statement from the first comment on."""
    return tuple(itertools.dropwhile(lambda line: not _is_comment(line), lines))


def _is_comment(line: cst.EmptyLine) -> bool:
    return line.comment is not None
