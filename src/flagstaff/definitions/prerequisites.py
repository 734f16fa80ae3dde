"""Which other flags must answer first, and does that go round in a circle?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.problems import quote

PREREQUISITE_KEYS: Final = ("flag", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prerequisite:
    """A flag that must answer `value` for the same actors; `line` is where that is written."""

    flag: str
    value: bool = True
    line: int = field(default=0, compare=False)


def read_prerequisites(fields: Fields, name: str) -> tuple[Prerequisite, ...]:
    """Return what stands under `prerequisites` of the flag `name`; mistakes are noted."""
    found: dict[str, Prerequisite] = {}
    for each in fields.mappings("prerequisites"):
        needed = _prerequisite(each)
        line = each.line("flag")
        if needed.flag and needed.flag == name:
            fields.problems.error(
                "needs itself", line=line, remedy="name another flag, or delete the entry"
            )
        elif first := found.get(needed.flag):
            fields.problems.error(
                f"needs the flag {quote(needed.flag)} twice, first in line {first.line}",
                line=line,
                remedy="keep one of the two",
            )
        elif needed.flag:
            found[needed.flag] = needed
    return tuple(found[flag] for flag in sorted(found))


def circles(needed: Mapping[str, tuple[Prerequisite, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield flags that need each other in a circle, each flag in at most one of them."""
    left = dict(needed)
    while True:
        graph = {name: [each.flag for each in asked] for name, asked in sorted(left.items())}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as exc:
            # graphlib names each flag before the one that needs it, and the first one twice.
            circle = exc.args[1][:0:-1]
            start = circle.index(min(circle))
            yield (*circle[start:], *circle[:start])
            for name in circle:
                del left[name]
        else:
            return


def _prerequisite(fields: Fields) -> Prerequisite:
    fields.unknown(PREREQUISITE_KEYS, fields.problems.error)
    flag = fields.required("flag", remedy="add `flag:` with the name of the flag that is needed")
    value = fields.boolean("value")
    return Prerequisite(flag=flag, value=value is not False, line=fields.line("flag"))
