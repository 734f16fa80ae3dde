"""What text is in a file that a person wrote?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from flagstaff.definitions.problems import Problems

MAX_BYTES: Final = 262_144
_UNREADABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def read_file(path: Path, problems: Problems) -> bytes | None:
    """Return what is in a file, up to the length that makes it too long, or note why not."""
    if path.exists() and not path.is_file():
        problems.error("is not a regular file", remedy="write a file in its place")
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as exc:
        problems.error(
            f"cannot be read: {exc.strerror or exc}", remedy="check the file and its permissions"
        )
        return None


def decode(data: bytes, problems: Problems) -> str | None:
    """Return `data` as text, or note why it is none."""
    if len(data) > MAX_BYTES:
        problems.error(
            f"is longer than the {MAX_BYTES:,} bytes that are read",
            remedy="is this the right file?",
        )
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        problems.error("is not UTF-8", line=line, remedy="save the file in UTF-8")
        return None
    if found := _UNREADABLE.search(text):
        problems.error(
            f"holds the control character U+{ord(found[0]):04X}",
            line=text.count("\n", 0, found.start()) + 1,
            remedy="delete it",
        )
        return None
    return text
