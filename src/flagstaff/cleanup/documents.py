"""Which entries of a documentation's lists and tables are about the flag alone?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flagstaff.cleanup.data.entries import variable_of
from flagstaff.cleanup.data.files import DataCleaner
from flagstaff.cleanup.elsewhere import is_history
from flagstaff.cleanup.tree import Overlay

_DOCUMENTS = (".md", ".mdx", ".markdown", ".rst", ".adoc")
_NAME = r"(?P<mark>`+)(?P<name>[^`\s]+)(?P=mark)"
_ROW = re.compile(rf"\s*\|\s*{_NAME}\s*\|.*\|\s*$")
_ITEM = re.compile(rf"(?P<depth>\s*)[-*+]\s+{_NAME}\s*(?:[:-]|--|\u2013|\u2014|$)")
_TERM = re.compile(rf"{_NAME}\s*:(?:\s|$)")


def clean_documents(work: Overlay, flag: str, data: DataCleaner) -> None:
    """Drop the rows, items and terms of documentation that list the flag, once nothing asks for it.

    A flag of one common word may be listed for another reason.
    """
    if not variable_of(flag) or data.is_asked():
        return
    for path in work.containing((flag,)):
        content = work.read(path) or b""
        if not path.lower().endswith(_DOCUMENTS) or is_history(path):
            continue
        try:
            lines = content.decode().splitlines(keepends=True)
        except UnicodeDecodeError:
            continue
        work.write(path, "".join(without_entries(lines, flag)).encode())


def without_entries(lines: Sequence[str], flag: str) -> list[str]:
    """Return the lines of a document without the entries of lists that begin with the flag.

    An entry is one only if another one of the same shape stands in the document.
    """
    kept: list[str] = []
    place = 0
    fenced = False
    while place < len(lines):
        line = lines[place]
        fenced ^= line.lstrip().startswith("```")
        length = 0 if fenced else _length(lines, place, flag)
        if length:
            place += length
            continue
        kept.append(line)
        place += 1
    return kept


def _length(lines: Sequence[str], place: int, flag: str) -> int:
    """Return how many lines belong to the flag's entry that begins at a place, 0 if none does."""
    for pattern in (_ROW, _ITEM, _TERM):
        found = pattern.match(lines[place])
        if found is None or found["name"] != flag or not _others(lines, pattern, flag):
            continue
        if pattern is _ROW:
            return 1
        end = place + 1
        depth = len(found["depth"]) if pattern is _ITEM else -1
        while end < len(lines) and lines[end].strip() and _belongs(lines[end], depth):
            end += 1
        blank = end < len(lines) and not lines[end].strip()
        parted = place == 0 or not lines[place - 1].strip()
        return end - place + (blank and parted)
    return 0


def _belongs(line: str, depth: int) -> bool:
    return depth < 0 or len(line) - len(line.lstrip()) > depth


def _others(lines: Sequence[str], pattern: re.Pattern[str], flag: str) -> bool:
    return any((found := pattern.match(line)) and found["name"] != flag for line in lines)
