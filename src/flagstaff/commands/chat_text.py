"""Which words does a line of chat hold, after what keyboards and chat programs did to it?"""

from __future__ import annotations

import re

from flagstaff.errors import UsageError

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_LINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]*:[^<>|\s]*)(?:\|[^<>]*)?>")
_NAMED = re.compile(r"<[#!][^<>|\s]*\|([^<>]*)>")
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032"
_QUOTES = str.maketrans({**dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'")})
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-"))
_DASHES = "\u2013\u2014\u2015"
_LONG_DASH = re.compile(rf"(?<!\S)-*[{_DASHES}][-{_DASHES}]*(?=\w)")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_QUOTED = r'"[^"]*"' + r"|'[^']*'"
_WORD = re.compile(rf"(?:[^\s\"'=]+=)?(?:{_QUOTED})(?!\S)|\S+")
_PREFIX = re.compile(
    r"\A\s*`*\s*(?:/?(?:chatops|flagstaff)(?:\s+gitlab)?(?:\s+run\b|\s|$)|run\s)", re.IGNORECASE
)
_TRAILING = ".,;:!?…"


def words_of(line: str) -> tuple[str, ...]:
    """Return the words of the command in a line such as `/chatops run feature get x`.

    The `/chatops run` in front may be missing. Smart quotes, dashes made from `--`, links as
    Slack sends them, backticks, no-break spaces and the full stop of a sentence are undone.

    Raises:
        UsageError: there is no command in the line, or it is meant for another program.
    """
    text = _INVISIBLE.sub("", line.translate(_QUOTES).translate(_HYPHENS))
    text = _NAMED.sub(r"\1", _LINK.sub(r"\1", text))
    text = _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)
    text = _LONG_DASH.sub("--", text)
    text = _PREFIX.sub("", text, count=1)
    words = [word for found in _WORD.findall(text) if (word := _unquoted(found))]
    if words and not any(sign.isspace() for sign in words[-1]):
        words[-1] = words[-1].rstrip(_TRAILING)
    words = [word for word in words if word]
    if not words:
        raise UsageError("there is no command", hint="write `/chatops run feature get NAME`")
    if words[0].startswith("/"):
        raise UsageError(
            f"`{words[0]}` is a command of another program", hint="begin with `/chatops run`"
        )
    return tuple(words)


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[-1] in "\"'":
        name, equals, value = word.partition("=")
        if equals and len(value) > 1 and value[0] == value[-1] and '"' not in name:
            return f"{name}={value[1:-1]}"
        if word[0] == word[-1]:
            return word[1:-1]
    return word.replace("`", "")
