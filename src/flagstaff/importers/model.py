"""What is taken over from another system, and what of it is lost?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.gates import Gates

Answer = Callable[[Actor], float | None]
"""How likely the other system is to answer "on": 0 or 1 unless chance has a part in it.

None: it cannot be foretold.
"""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that nothing of ours can say: where it stands, and why not."""

    place: str
    why: str

    def __str__(self) -> str:
        """Return `place: why`."""
        return f"{self.place}: {self.why}"


class Fate(StrEnum):
    """What becomes of a flag in one environment.

    `same`: everybody keeps the answer. `moved`: as many get it, but a share of actors is picked
    otherwise. `partly`: some of its rules cannot be said here; `lost`: none can.
    """

    SAME = "same"
    MOVED = "moved"
    PARTLY = "partly"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A flag in one environment.

    Attributes:
        gates: what it becomes; where something is lost, what is certain, and the rest stays closed.
        fate: how well that fits.
        losses: what is left out.
        answer: what the other system answers.
        reads: it looks at attributes of actors.
    """

    gates: Gates
    fate: Fate
    losses: tuple[Loss, ...] = ()
    answer: Answer = field(compare=False, repr=False)
    reads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFlag:
    """A flag of another system.

    Attributes:
        theirs: its name there.
        name: its name here; empty if it cannot have one.
        type: of our types, the one that fits.
        description: what it says about itself, on one line.
        group: whose it is.
        bucketing: how its share of actors is picked here.
        prerequisites: flags of ours that must answer as said.
        places: by the name of the environment there.
        losses: why it cannot be taken over at all.
    """

    theirs: str
    name: str
    type: str = "development"
    description: str = ""
    group: str = ""
    bucketing: Bucketing = Bucketing.CRC32
    prerequisites: tuple[tuple[str, bool], ...] = ()
    places: Mapping[str, Taken] = field(default_factory=dict, hash=False)
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """All that a file says.

    Attributes:
        system: which system wrote it.
        environments: their names; the empty name is that of a file that names none.
        flags: in the order of the file.
        remarks: what a person should know before relying on it.
    """

    system: str
    environments: tuple[str, ...]
    flags: tuple[ImportedFlag, ...]
    remarks: tuple[str, ...] = ()
