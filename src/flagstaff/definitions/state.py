"""What is a defined flag in an environment, where somebody has set it or not?"""

from __future__ import annotations

from flagstaff.definitions.flag import Definition
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates

UNDEFINED = "undefined"
"""The type of a flag that is set and that nobody defines any more."""


def flag_of(name: str, definition: Definition | None, gates: Gates | None) -> Flag:
    """Return the flag as snapshots hold it; `gates` is None where it was never set."""
    if definition is None:
        return Flag(name=name, type=UNDEFINED, gates=gates)
    return Flag(
        name=name,
        type=definition.type,
        default=definition.default_enabled,
        gates=gates,
        variants=definition.variants,
        prerequisites=tuple((each.flag, each.value) for each in definition.prerequisites),
        bucketing=definition.bucketing,
    )
