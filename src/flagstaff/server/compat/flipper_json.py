"""How does Flipper write a feature, an export and an error as JSON?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import ZERO, Gates
from flagstaff.flags.percentage import HUNDRED, format_percentage

NAMES = {
    "boolean": "boolean",
    "expression": "expression",
    "actors": "actor",
    "percentage_of_actors": "percentage_of_actors",
    "percentage_of_time": "percentage_of_time",
    "groups": "group",
}
"""Each gate's name by its key, in Flipper's order."""

MORE = "https://www.flippercloud.io/docs/api#error-code-reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One of the errors that the protocol knows."""

    code: int
    status: int
    message: str

    def to_json(self) -> dict[str, object]:
        """Return the body."""
        return {"code": self.code, "message": self.message, "more_info": MORE}


NOT_FOUND = Problem(code=1, status=404, message="Feature not found.")
NO_GROUP = Problem(code=2, status=404, message="Group not registered.")
NO_PERCENTAGE = Problem(
    code=3,
    status=422,
    message="Percentage must be a positive number less than or equal to 100.",
)
NO_ACTOR = Problem(code=4, status=422, message="Required parameter flipper_id is missing.")
NO_NAME = Problem(code=5, status=422, message="Required parameter name is missing.")
NO_IMPORT = Problem(code=6, status=422, message="Import invalid.")
NO_EXPRESSION = Problem(code=7, status=422, message="The provided expression was not valid.")


def feature_json(flag: Flag, *, gates: bool = True, names: bool = True) -> dict[str, object]:
    """Return one feature as a client of Flipper can evaluate it."""
    found: dict[str, object] = {"key": flag.name, "state": flag.state.value}
    if gates:
        values = _values(_expressible(flag))
        found["gates"] = [
            {"key": key, "value": values[key], **({"name": name} if names else {})}
            for key, name in NAMES.items()
        ]
    return found


def _expressible(flag: Flag) -> Gates:
    """Return the gates without what Flipper would answer otherwise: that stays closed."""
    if flag.prerequisites:
        return Gates()
    gates = Gates(boolean=flag.default) if flag.gates is None else flag.gates
    if flag.bucketing is not Bucketing.CRC32 and gates.percentage_of_actors < HUNDRED:
        return replace(gates, percentage_of_actors=ZERO)
    return gates


def _values(gates: Gates) -> dict[str, object]:
    actors, time = gates.percentage_of_actors, gates.percentage_of_time
    return {
        "boolean": "true" if gates.boolean else None,
        "expression": dict(gates.expression) if gates.expression else None,
        "actors": sorted(gates.actors),
        "percentage_of_actors": format_percentage(actors) if actors else None,
        "percentage_of_time": format_percentage(time) if time else None,
        "groups": sorted(gates.groups),
    }
