"""What can be asked of one flag's gates, and what do the gates become?

Each change is absolute ("set to 25 %", never "10 % more"), so applying it twice is applying it
once.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from flagstaff.flags.gates import Gates
from flagstaff.flags.percentage import format_percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean:
    """Turn the flag on or off for everyone; closes every other gate, as Flipper does."""

    value: bool

    def apply(self, gates: Gates) -> Gates:
        """Return the gates after this change."""
        return gates.enable() if self.value else gates.disable()

    def __str__(self) -> str:
        """Return the value as a command spells it."""
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentageOfActors:
    """Open the flag for a stable share of actors, 0 to 100 with at most three decimals."""

    value: Decimal

    def apply(self, gates: Gates) -> Gates:
        """Return the gates after this change."""
        return gates.set_percentage_of_actors(self.value)

    def __str__(self) -> str:
        """Return the value as a command spells it."""
        return f"{format_percentage(self.value)} --actors"


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentageOfTime:
    """Open the flag for a share of checks, drawn anew each time: 0 to 100, three decimals."""

    value: Decimal

    def apply(self, gates: Gates) -> Gates:
        """Return the gates after this change."""
        return gates.set_percentage_of_time(self.value)

    def __str__(self) -> str:
        """Return the value as a command spells it."""
        return f"{format_percentage(self.value)} --random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actors:
    """Open or close the flag for single actors such as `Project:7`."""

    ids: tuple[str, ...]
    value: bool

    def apply(self, gates: Gates) -> Gates:
        """Return the gates after this change."""
        return gates.add_actors(self.ids) if self.value else gates.remove_actors(self.ids)

    def __str__(self) -> str:
        """Return the value as a person reads it."""
        return f"{'true' if self.value else 'false'} for {', '.join(self.ids)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Open or close the flag for registered groups of actors."""

    names: tuple[str, ...]
    value: bool

    def apply(self, gates: Gates) -> Gates:
        """Return the gates after this change."""
        return gates.add_groups(self.names) if self.value else gates.remove_groups(self.names)

    def __str__(self) -> str:
        """Return the value as a person reads it."""
        return f"{'true' if self.value else 'false'} for the group {', '.join(self.names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Open the flag for actors whose attributes match a condition; None takes the condition away.

    The other gates stay as they are.
    """

    value: Mapping[str, object] | None = field(hash=False)

    def apply(self, gates: Gates) -> Gates:
        """Return the gates after this change.

        Raises:
            UsageError: the condition is malformed, or holds for everybody or nobody by mistake.
        """
        return gates.set_expression(self.value)

    def __str__(self) -> str:
        """Return the value as a command spells it."""
        if self.value is None:
            return "--expression none"
        return f"--expression {shlex.quote(json.dumps(self.value, ensure_ascii=False))}"


GateChange = Boolean | PercentageOfActors | PercentageOfTime | Actors | Groups | Expression
