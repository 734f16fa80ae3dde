"""What is one flag in one environment?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.flags.gates import Gates, State
from flagstaff.flags.wire import malformed, read_boolean, read_object, read_text

WIRE_KEYS = frozenset({"type", "default", "gates"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag as an environment knows it.

    Attributes:
        name: as code asks for it.
        type: the definition's type, such as `development` or `worker`.
        default: the answer while the flag is not set in this environment.
        gates: None while the flag is not set; all closed means explicitly off.
    """

    name: str
    type: str = "development"
    default: bool = False
    gates: Gates | None = None

    @property
    def state(self) -> State:
        """Return what the flag amounts to, the default included."""
        if self.gates is None:
            return State.ON if self.default else State.OFF
        return self.gates.state

    def to_json(self) -> dict[str, object]:
        """Return the wire form, without the name: it is the key."""
        return {
            "type": self.type,
            "default": self.default,
            "gates": None if self.gates is None else self.gates.to_json(),
        }

    @classmethod
    def from_json(cls, name: str, data: object) -> Flag:
        """Return the flag that `to_json` wrote.

        Raises:
            SnapshotError: something is malformed, or is a part this version does not know.
        """
        found = read_object(data, "flag")
        if unknown := sorted(found.keys() - WIRE_KEYS):
            raise malformed("flag", "a part of a flag this version knows", ", ".join(unknown))
        gates = found.get("gates")
        return cls(
            name=name,
            type=read_text(found.get("type", "development"), "type"),
            default=read_boolean(found.get("default", False), "default"),
            gates=None if gates is None else Gates.from_json(gates),
        )
