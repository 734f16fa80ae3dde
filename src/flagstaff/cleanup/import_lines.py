"""How would isort lay out an import that lost names?

An import is laid out anew where the same rules give what stood there before: so nothing but the
names that went is different.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from flagstaff.cleanup.styles import ImportStyle

_FROM = re.compile(r"(?P<head>\s*from \S+ import )\((?P<names>[\w\s,]+)\)$")
_WIDTHS = (79, 80, 88, 99, 100, 119, 120)
_DEEPER = "    "
_GRID, _FILLED, _GROUPED = 0, 4, 5


@dataclass(frozen=True, slots=True)
class Import:
    """A `from … import (…)`; `head` is what stands before the bracket."""

    head: str
    names: tuple[str, ...]


def read_import(text: str) -> Import | None:
    """Return an import in brackets, without comments; `None` for anything else."""
    found = _FROM.match(text)
    if found is None:
        return None
    names = tuple(" ".join(name.split()) for name in found["names"].split(",") if name.strip())
    return Import(found["head"], names)


def laid_out_import(before: str, after: str, style: ImportStyle | None) -> str:
    """Return what an import becomes that was `before`, and is `after` without some names.

    Without a `style` only what filled several rows with names fills them again: nothing else tells
    how wide they may be.
    """
    old, new = read_import(before), read_import(after)
    if old is None or new is None or old.head != new.head or not new.names:
        return after
    layouts: Iterable[_Layout] = ()
    if style is None and re.search(r"\w,\n\s*\w+,? \w", before):
        layouts = (_Layout(*each) for each in product(_WIDTHS, (_GRID, _FILLED, _GROUPED)))
    elif style is not None and not style.keeps_open:
        layouts = (_Layout(style.width, style.mode, "," if style.trailing_comma else ""),)
    return next((each.of(new) for each in layouts if each.of(old) == before), after)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How wide a row of an import may be, and how its names are put in rows."""

    width: int
    mode: int
    comma: str = ""

    def of(self, each: Import) -> str:
        row = each.head + ", ".join(each.names)
        return row if len(row) <= self.width else self._in_rows(each)

    def _in_rows(self, each: Import) -> str:
        indent = each.head[: len(each.head) - len(each.head.lstrip())]
        aligned, deeper = " " * (len(each.head) + 1), indent + _DEEPER
        match self.mode:
            case 0:
                return f"{each.head}({self._filled(each, aligned).lstrip()}{self.comma})"
            case 1:
                return f"{each.head}({_one_each(each, aligned).lstrip()}{self.comma})"
            case 3:
                return f"{each.head}(\n{_one_each(each, deeper)}{self.comma}\n{indent})"
            case 4 | 5:
                end = ")" if self.mode == _FILLED else f"\n{indent})"
                return f"{each.head}(\n{self._filled(each, deeper)}{self.comma}{end}"
        return ""

    def _filled(self, each: Import, indent: str) -> str:
        """Fill rows with names, with room for the comma or the bracket behind each row."""
        rows, row = [], indent + each.names[0]
        for place, name in enumerate(each.names[1:], 2):
            longer, is_last = f"{row}, {name}", place == len(each.names)
            room = bool(self.comma) + (self.mode != _GROUPED) if is_last else 1
            if len(longer) + (1 if self.mode == _GRID else room) > self.width:
                rows.append(row)
                longer = indent + name
            row = longer
        return ",\n".join([*rows, row])


def _one_each(each: Import, indent: str) -> str:
    return ",\n".join(indent + name for name in each.names)
