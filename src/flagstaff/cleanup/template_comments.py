"""Which comments of a template go with a block that is gone as a whole?"""

from __future__ import annotations

import re

_COMMENT = r"[ \t]*(?:\{#(?P<one>[^\n]*?)#\}|<!--(?!\[)(?P<two>[^\n]*?)-->)[ \t]*\r?\n"
_LINE = re.compile(_COMMENT)
_LAST_LINE = re.compile(rf"(?:\A|(?<=\n)){_COMMENT}\Z")
_CLOSING = re.compile(r"\s*(?:end(?:s|ing)?\b|close[sd]?\b|/)\s*(?:of\b)?", re.IGNORECASE)
_APART = re.compile(r"[ \t]*(?:\r?\n|\Z|</|\{#|<!--|\{%[-+]?\s*(?:end\w+|else|elif)\b)")


def without_comments(above: str, below: str, flag: str) -> tuple[str, str]:
    """Return what stands above and below a block that is gone, without the comments on it.

    The comment right above is the block's if it names the flag, or if nothing stands right below
    that it could speak of as well. One right below that ends what the first began goes with it.
    """
    found = _last_line(above)
    if found is None:
        return above, below
    said = _said(found)
    closing = _LINE.match(below)
    ended = _CLOSING.match(_text(closing)) if closing is not None else None
    if closing is not None and ended is not None:
        rest = _plain(_text(closing)[ended.end() :])
        if rest == said or _names(rest, flag):
            return above[: found.start()], below[closing.end() :]
    if _CLOSING.match(_text(found)) or not (_names(said, flag) or _APART.match(below)):
        return above, below
    return above[: found.start()], below


def _last_line(text: str) -> re.Match[str] | None:
    start = text.rstrip("\r\n").rfind("\n") + 1
    return _LAST_LINE.match(text, start)


def _text(found: re.Match[str]) -> str:
    return found["one"] or found["two"] or ""


def _said(found: re.Match[str]) -> str:
    return _plain(_text(found))


def _plain(text: str) -> str:
    return " ".join(re.split(r"[\W_]+", text.lower())).strip()


def _names(said: str, flag: str) -> bool:
    """Tell whether a comment has the flag's name, or its words in their order."""
    name = _plain(flag)
    return bool(name) and f" {name} " in f" {said} "
