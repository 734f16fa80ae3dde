"""Which rules can open a flag, and what does a write do to them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from flagstaff.errors import UsageError
from flagstaff.flags.actor import OPT_OUT, check_actor_id, opt_out_marker
from flagstaff.flags.expression import check_expression
from flagstaff.flags.percentage import HUNDRED, check_percentage, format_percentage
from flagstaff.flags.wire import (
    malformed,
    read_boolean,
    read_object,
    read_percentage,
    read_texts,
)

NOTHING: Final[frozenset[str]] = frozenset()
ZERO: Final = Decimal(0)


class State(StrEnum):
    """What a flag's gates amount to.

    `conditional` also covers 100 % of actors: a check without an actor is still answered "off".
    """

    ON = "on"
    OFF = "off"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The gates of one persisted flag; the first open one answers, none of them can deny.

    All closed means "explicitly off", which overrides a default of on; a flag that was never
    written has no `Gates` at all.

    Attributes:
        boolean: on for everyone.
        expression: a condition on the actor's attributes, as JSON; see `flags.expression`.
        actors: ids such as `Project:7`; a member ending in `:opt_out` takes that actor out again.
        percentage_of_actors: 0 to 100, at most three decimals; sticky by actor.
        percentage_of_time: 0 to 100, at most three decimals; every check draws again.
        groups: names of groups that the application registered.
    """

    boolean: bool = False
    expression: Mapping[str, object] | None = field(default=None, hash=False)
    actors: frozenset[str] = NOTHING
    percentage_of_actors: Decimal = ZERO
    percentage_of_time: Decimal = ZERO
    groups: frozenset[str] = NOTHING

    def __post_init__(self) -> None:
        check_percentage(self.percentage_of_actors)
        check_percentage(self.percentage_of_time)

    @property
    def state(self) -> State:
        """Return what the gates amount to."""
        if self.boolean or self.percentage_of_time == HUNDRED:
            return State.ON
        conditional = (
            self.expression
            or self.actors
            or self.percentage_of_actors
            or self.percentage_of_time
            or self.groups
        )
        return State.CONDITIONAL if conditional else State.OFF

    @property
    def members(self) -> frozenset[str]:
        """Return the actors without the opt-out markers."""
        return frozenset(actor for actor in self.actors if not actor.endswith(OPT_OUT))

    @property
    def opted_out(self) -> frozenset[str]:
        """Return the ids of the actors that are opted out."""
        return frozenset(
            actor.removesuffix(OPT_OUT) for actor in self.actors if actor.endswith(OPT_OUT)
        )

    def enable(self) -> Gates:
        """Open the boolean gate and delete every other one, opt-outs included."""
        return Gates(boolean=True)

    def disable(self) -> Gates:
        """Close every gate: the flag is explicitly off."""
        return Gates()

    def add_actors(self, ids: Iterable[str]) -> Gates:
        """Add members and leave the other gates as they are.

        Raises:
            UsageError: an id is empty, too long or has blanks.
        """
        return replace(self, actors=self.actors | {check_actor_id(each) for each in ids})

    def remove_actors(self, ids: Iterable[str]) -> Gates:
        """Remove members; an actor that was never there changes nothing."""
        return replace(self, actors=self.actors - frozenset(ids))

    def add_groups(self, names: Iterable[str]) -> Gates:
        """Add groups and leave the other gates as they are.

        Raises:
            UsageError: a name is empty.
        """
        added = frozenset(names)
        if "" in added:
            raise UsageError("the group's name is empty", hint="name a group the application knows")
        return replace(self, groups=self.groups | added)

    def remove_groups(self, names: Iterable[str]) -> Gates:
        """Remove groups; one that was never there changes nothing."""
        return replace(self, groups=self.groups - frozenset(names))

    def set_percentage_of_actors(self, percentage: Decimal) -> Gates:
        """Replace that gate; a flag that is on for everyone is narrowed in the same step.

        Raises:
            UsageError: not between 0 and 100, or more than three decimals.
        """
        return replace(self, boolean=False, percentage_of_actors=check_percentage(percentage))

    def set_percentage_of_time(self, percentage: Decimal) -> Gates:
        """Replace that gate; a flag that is on for everyone is narrowed in the same step.

        Raises:
            UsageError: not between 0 and 100, or more than three decimals.
        """
        return replace(self, boolean=False, percentage_of_time=check_percentage(percentage))

    def set_expression(self, expression: Mapping[str, object] | None) -> Gates:
        """Replace the condition; `None` removes it.

        Raises:
            UsageError: it is malformed, or has an empty `All` or `Any`.
        """
        if expression is not None:
            check_expression(expression)
        return replace(self, expression=expression)

    def opt_out(self, identity: str) -> Gates:
        """Answer "off" for this actor whatever gate opens; only `enable` and `disable` forget it.

        Raises:
            UsageError: the id is empty, too long or has blanks.
        """
        return self.add_actors((opt_out_marker(check_actor_id(identity)),))

    def remove_opt_out(self, identity: str) -> Gates:
        """Let the gates decide about this actor again."""
        return self.remove_actors((opt_out_marker(identity),))

    def to_json(self) -> dict[str, object]:
        """Return the wire form: sets sorted, percentages as text so that none is rounded."""
        return {
            "boolean": self.boolean,
            "expression": None if self.expression is None else dict(self.expression),
            "actors": sorted(self.actors),
            "percentage_of_actors": format_percentage(self.percentage_of_actors),
            "percentage_of_time": format_percentage(self.percentage_of_time),
            "groups": sorted(self.groups),
        }

    @classmethod
    def from_json(cls, data: object) -> Gates:
        """Return the gates that `to_json` wrote; a missing gate is closed.

        Raises:
            SnapshotError: a gate is malformed, or is one this version does not know: to skip it
                could answer "off" for people who have the flag.
        """
        found = read_object(data, "gates")
        if unknown := sorted(found.keys() - set(cls.__slots__)):
            raise malformed("gates", "a gate of this version", ", ".join(unknown))
        expression = found.get("expression")
        return cls(
            boolean=read_boolean(found.get("boolean", False), "boolean"),
            expression=None if expression is None else read_object(expression, "expression"),
            actors=read_texts(found.get("actors", []), "actors"),
            percentage_of_actors=read_percentage(
                found.get("percentage_of_actors", "0"), "percentage_of_actors"
            ),
            percentage_of_time=read_percentage(
                found.get("percentage_of_time", "0"), "percentage_of_time"
            ),
            groups=read_texts(found.get("groups", []), "groups"),
        )
