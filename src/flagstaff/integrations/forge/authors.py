"""Who committed a line of a file?"""

from __future__ import annotations

import re
from pathlib import Path

from flagstaff.errors import Unavailable
from flagstaff.integrations.forge.git import blame
from flagstaff.services.boxes import Author

_UNCOMMITTED = re.compile(r"0{40,64} ")


def author_of(path: Path, line: int, text: str) -> Author | None:
    """Return who committed the line; `None` when nobody has, or the file is in no repository.

    Args:
        path: The file.
        line: The line's number, from 1.
        text: What stands there; when it is something else by now, nobody is its author.
    """
    try:
        told = blame(path, line)
    except Unavailable:
        return None
    lines = told.split("\n")
    content = next((each[1:] for each in lines if each.startswith("\t")), None)
    if not told or _UNCOMMITTED.match(told) or content is None or content.rstrip("\r") != text:
        return None
    name, email = _field(lines, "author "), _field(lines, "author-mail ").strip("<>")
    return Author(name=name, email=email) if name or email else None


def _field(lines: list[str], name: str) -> str:
    return next((line[len(name) :].strip() for line in lines if line.startswith(name)), "")
