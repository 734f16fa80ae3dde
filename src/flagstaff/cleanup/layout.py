"""What would the formatter of a project make of the statements that a clean-up changed?

A file is laid out by Black, or Ruff, where no statement of it took more lines before than these
would give it. Only what the clean-up changed is laid out; the rest stays as it is, byte by byte.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from flagstaff.cleanup.import_lines import laid_out_import, read_import
from flagstaff.cleanup.logical_lines import LogicalLine, flat, logical_lines, rows_of
from flagstaff.cleanup.styles import BLACK_WIDTH, Style
from flagstaff.cleanup.syntax import parsed

_WIDTHS = (79, BLACK_WIDTH, 100, 120)
_ENOUGH = 2
"""Statements that would be on one row, were it not too long, from which a width is believed."""


def laid_out(before: bytes, after: bytes, style: Style) -> bytes:
    """Return a Python file that a clean-up changed as its formatter would leave it."""
    try:
        old, new = before.decode(), after.decode()
    except UnicodeDecodeError:
        return after
    if "\r" in old or "\t" in new or "(" not in new:
        return after
    lines = [line for line in logical_lines(new) if f"{line.text}\n" not in old]
    if not lines:
        return after
    earlier = logical_lines(old)
    width = _width(before, earlier, style)
    rows, moved = new.split("\n"), False
    for line in reversed(lines):
        text = _changed(line, earlier, width, style)
        if text != line.text:
            rows[line.start : line.end] = text.split("\n")
            moved = True
    content = "\n".join(rows).encode()
    return content if moved and _same(content, after) else after


def _changed(
    line: LogicalLine, earlier: Sequence[LogicalLine], width: int | None, style: Style
) -> str:
    text = "\n".join(rows_of(line, width)) if width and line.chunk is not None else line.text
    now = read_import(text)
    if now is None:
        return text
    for old in _imports(earlier):
        was = read_import(old.text)
        if was is not None and was.head == now.head and set(was.names) > set(now.names):
            return laid_out_import(old.text, text, style.imports)
    return text


def _imports(lines: Sequence[LogicalLine]) -> Iterator[LogicalLine]:
    return (line for line in lines if line.text.lstrip().startswith("from "))


def _width(content: bytes, lines: Sequence[LogicalLine], style: Style) -> int | None:
    """Return how wide the lines of a file may be, `None` unless a formatter put them so."""
    known = [line for line in lines if line.chunk is not None and read_import(line.text) is None]
    if style.width and _is_stable(known, style.width):
        return style.width
    # A project may say so, and have other files from before.
    if style.width is None and any(line.is_foreign for line in lines):
        return None
    longest = _longest(content)
    width = next((each for each in _WIDTHS if each >= longest), None)
    enough = sum(flat(line) is not None for line in known) >= _ENOUGH
    return width if width and enough and _is_stable(known, width) else None


def _is_stable(lines: Sequence[LogicalLine], width: int) -> bool:
    return all("\n".join(rows_of(line, width)) == line.text for line in lines)


def _longest(content: bytes) -> int:
    """Return the length of the longest line of code: without texts and comments, which may stay."""
    module, rows = parsed(content), content.decode().split("\n")
    if module is None:
        return 0
    nodes = (node for node in ast.walk(module) if isinstance(node, ast.stmt))
    numbers = {number for node in nodes for number in (node.lineno, node.end_lineno or 0)}
    return max(
        (len(rows[n - 1]) for n in numbers if not re.search("[\"'#]", rows[n - 1])), default=0
    )


def _same(one: bytes, other: bytes) -> bool:
    """Tell whether two files say the same to Python."""
    first, second = parsed(one), parsed(other)
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)
