"""Whose first failures are counted while a flag is rolled out, and under which draw?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flagstaff.flags.wire import malformed, read_object, read_text, read_whole

LONGEST: Final = 60
"""So often the share of actors that are kept is halved at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One share of people that a flag was opened for.

    Attributes:
        rollout: its number.
        salt: what ids of actors are hashed with, as hexadecimal digits; another for each rollout.
        number: another one after every change of the flag's gates, and a greater one.
    """

    rollout: int
    salt: str
    number: int

    @property
    def key(self) -> bytes:
        """Return the salt as a key."""
        return bytes.fromhex(self.salt)

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return {"rollout": self.rollout, "salt": self.salt, "number": self.number}

    @classmethod
    def from_json(cls, data: object, place: str) -> Draw:
        """Return the draw that `to_json` wrote.

        Raises:
            SnapshotError: it is malformed; `place` is named.
        """
        found = read_object(data, place)
        salt = read_text(found.get("salt"), f"{place}.salt")
        try:
            bytes.fromhex(salt)
        except ValueError as exc:
            raise malformed(f"{place}.salt", "made of hexadecimal digits", salt) from exc
        return cls(
            rollout=read_whole(found.get("rollout"), f"{place}.rollout"),
            salt=salt,
            number=read_whole(found.get("number"), f"{place}.number"),
        )


def read_draws(data: object) -> Mapping[str, Draw]:
    """Return the draws by flag.

    Raises:
        SnapshotError: one is malformed; the place is named.
    """
    found = read_object(data, "drawn")
    return {name: Draw.from_json(each, f"drawn.{name}") for name, each in found.items()}


def admits(actor: str, there: int, most: int) -> bool:
    """Return whether one more actor is kept: all of the first `most`, then a smaller share of them.

    The share is halved with every further half of `most`, by bits of the hash, which depend neither
    on the side nor on what comes of it: so both sides lose alike, and millions stay a few times
    `most`.

    Args:
        actor: the hashed id, hexadecimal.
        there: how many are kept already.
        most: how many are kept without any choice.
    """
    if there < most:
        return True
    halvings = 1 + (there - most) // max(1, most // 2)
    return int(actor, 16) % (1 << min(halvings, LONGEST)) == 0
