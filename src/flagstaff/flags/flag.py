"""What is one flag in one environment?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.variant import Variant, read_variants
from flagstaff.flags.wire import malformed, read_boolean, read_object, read_text

WIRE_KEYS = frozenset({"type", "default", "gates", "variants", "prerequisites", "bucketing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag as an environment knows it.

    Attributes:
        name: as code asks for it.
        type: the definition's type, such as `development` or `worker`.
        default: the answer while the flag is not set in this environment.
        gates: None while the flag is not set; all closed means explicitly off.
        variants: named answers while the flag is on; empty for a plain flag.
        prerequisites: flags that must answer as said for the same actors, or this one is off.
        bucketing: how a percentage of actors picks them; never changes while the flag lives.
    """

    name: str
    type: str = "development"
    default: bool = False
    gates: Gates | None = None
    variants: tuple[Variant, ...] = ()
    prerequisites: tuple[tuple[str, bool], ...] = ()
    bucketing: Bucketing = Bucketing.CRC32

    @property
    def state(self) -> State:
        """Return what the flag amounts to, the default included."""
        if self.gates is None:
            return State.ON if self.default else State.OFF
        return self.gates.state

    @property
    def holds_json(self) -> bool:
        """Return whether `==` may take two of these for the same that are not.

        In JSON, 1 is neither true nor 1.0; to Python it is both.
        """
        return bool(self.variants or (self.gates is not None and self.gates.expression))

    def to_json(self) -> dict[str, object]:
        """Return the wire form, without the name: it is the key. What is usual is left out."""
        data: dict[str, object] = {
            "type": self.type,
            "default": self.default,
            "gates": None if self.gates is None else self.gates.to_json(),
        }
        if self.variants:
            data["variants"] = [variant.to_json() for variant in self.variants]
        if self.prerequisites:
            data["prerequisites"] = dict(self.prerequisites)
        if self.bucketing is not Bucketing.CRC32:
            data["bucketing"] = self.bucketing.value
        return data

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
            variants=read_variants(found.get("variants", [])),
            prerequisites=_read_prerequisites(found.get("prerequisites", {})),
            bucketing=_read_bucketing(found.get("bucketing", Bucketing.CRC32.value)),
        )


def _read_prerequisites(data: object) -> tuple[tuple[str, bool], ...]:
    found: Mapping[str, object] = read_object(data, "prerequisites")
    return tuple(
        (read_text(name, "prerequisite"), read_boolean(wanted, f"prerequisite {name}"))
        for name, wanted in sorted(found.items())
    )


def _read_bucketing(data: object) -> Bucketing:
    try:
        return Bucketing(read_text(data, "bucketing"))
    except ValueError as exc:
        raise malformed("bucketing", "crc32, murmur3 or flagd", data) from exc
