"""Which flags are found, in which order, and what is to be seen of each?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flagstaff.definitions import Definition
from flagstaff.definitions.flag_types import FLAG_TYPES
from flagstaff.flags.gates import State
from flagstaff.services import views
from flagstaff.services.flag_search import (
    EVERYWHERE,
    NEVER,
    NOBODY,
    FlagSearch,
    Sort,
    Stands,
    check,
    days,
)
from flagstaff.services.lives.exposures import Heard, heard
from flagstaff.services.lives.facts import UNDEFINED, introduced
from flagstaff.services.lives.stale import team
from flagstaff.services.permissions import visible
from flagstaff.services.unit import Unit
from flagstaff.services.views import FlagView
from flagstaff.store import flags as flag_store
from flagstaff.store import lives as life_store
from flagstaff.store import rollouts as rollout_store
from flagstaff.store.flags import FlagState
from flagstaff.store.lives import Life

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One flag of a list; `asked_at` is when an application last asked for it."""

    flag: FlagView
    owner: str
    introduced_at: datetime
    age: int
    asked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagList:
    """A page of the flags that were found.

    Attributes:
        matching: the names of all that were found, in order.
        more: the last name of the page where others come after it.
        names: of all flags there are.
        types: of all flags there are.
        owners: the teams of all flags there are.
        heard: whether any application has ever reported what it asked for.
    """

    flags: tuple[Listed, ...]
    matching: tuple[str, ...]
    more: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    owners: tuple[str, ...]
    heard: bool


def listed(unit: Unit, search: FlagSearch, *, after: str = "", limit: int) -> FlagList:
    """Return the flags that are searched for, those after the flag `after`.

    Raises:
        UsageError: something is searched for that cannot be.
    """
    known = _Known(unit, all_lives=bool(search.age or search.seen or _by_life(search.sort)))
    wanted = _wanted(search, known)
    order, back = _order(search, known)
    matching = [name for name in known.names if all(holds(name) for holds in wanted)]
    found = sorted(matching, key=order, reverse=back)
    rest = found
    if after:
        among = {*matching}
        ordered = sorted(sorted({*matching, after}), key=order, reverse=back)
        rest = [name for name in ordered[ordered.index(after) + 1 :] if name in among]
    shown = rest[:limit]
    known.meet(shown)
    running = rollout_store.active_by_flag(unit.connection)
    return FlagList(
        flags=tuple(known.listed(name, running.get(name)) for name in shown),
        matching=tuple(found),
        more=shown[-1] if len(rest) > limit else "",
        names=known.names,
        types=known.types(),
        owners=known.owners(),
        heard=known.heard.since is not None,
    )


class _Known:
    """What is known of all flags; of their lives, only where somebody wants to know."""

    def __init__(self, unit: Unit, *, all_lives: bool) -> None:
        self.unit = unit
        self.places = visible(unit)
        self.definitions: Mapping[str, Definition] = unit.context.definitions()
        self.rows: dict[str, dict[str, FlagState]] = {}
        for state in flag_store.find(unit.connection):
            self.rows.setdefault(state.flag, {})[state.environment] = state
        self.names = tuple(sorted({*self.definitions, *self.rows}))
        self.lives: Mapping[str, Life] = life_store.find(unit.connection) if all_lives else {}
        self.heard = heard(unit, self.lives) if all_lives else Heard(exposed={})
        self._all_lives = all_lives

    def meet(self, names: Iterable[str]) -> None:
        """Learn of the lives of these flags."""
        if not self._all_lives:
            self.lives = life_store.find(self.unit.connection, tuple(names))
            self.heard = heard(self.unit, self.lives)

    def type(self, name: str) -> str:
        definition = self.definitions.get(name)
        return definition.type if definition else UNDEFINED

    def owner(self, name: str) -> str:
        definition = self.definitions.get(name)
        return (definition.group or "") if definition else ""

    def introduced(self, name: str) -> datetime:
        rows = self.rows.get(name, {}).values()
        return introduced(self.unit, self.definitions.get(name), self.lives.get(name), rows)

    def asked_at(self, name: str) -> datetime | None:
        return self.heard.exposed.get(name)

    def changed_at(self, name: str) -> datetime:
        rows = self.rows.get(name, {})
        seen = (rows[each].updated_at for each in self.places if each in rows)
        return max(seen, default=LONG_AGO)

    def stands(self, name: str, state: Stands, environment: str) -> bool:
        """Say whether a flag stands so there, or in the environments that the asker may see."""
        definition, rows = self.definitions.get(name), self.rows.get(name, {})
        default = State.ON if definition and definition.default_enabled else State.OFF
        places = (environment,) if environment else self.places
        found = (_stands(rows.get(each), default, state) for each in places)
        return all(found) if state in EVERYWHERE else any(found)

    def types(self) -> tuple[str, ...]:
        there = {self.type(name) for name in self.names}
        return tuple(each for each in FLAG_TYPES if each in there)

    def owners(self) -> tuple[str, ...]:
        return tuple(sorted({team(each.group or "") for each in self.definitions.values()} - {""}))

    def listed(self, name: str, rollout: int | None) -> Listed:
        came = self.introduced(name)
        return Listed(
            flag=views.flag_of(self.unit, name, self.rows.get(name, {}), rollout),
            owner=self.owner(name),
            introduced_at=came,
            age=max(0, (self.unit.now - came).days),
            asked_at=self.asked_at(name),
        )


def _wanted(search: FlagSearch, known: _Known) -> list[Callable[[str], bool]]:
    """Return what has to hold of a flag's name."""
    found: list[Callable[[str], bool]] = []
    if search.match:
        found.append(lambda name: search.match in name)
    if search.type:
        check("type", search.type, tuple(FLAG_TYPES))
        found.append(lambda name: known.type(name) == search.type)
    if search.owner:
        owner = "" if search.owner == NOBODY else team(search.owner)
        found.append(lambda name: team(known.owner(name)) == owner)
    if search.state or search.environment:
        check("state", search.state or Stands.SET, tuple(Stands))
        if search.environment:
            check("environment", search.environment, known.places)
        state = Stands(search.state or Stands.SET)
        found.append(lambda name: known.stands(name, state, search.environment))
    now = known.unit.now
    if search.age:
        old = days("age", search.age)
        found.append(lambda name: old(now - known.introduced(name)))
    if search.seen == NEVER:
        found.append(lambda name: known.asked_at(name) is None)
    elif search.seen:
        ago = days("time", search.seen)
        # What nobody has ever asked for, nobody has asked for so long.
        found.append(lambda name: ago(now - (known.asked_at(name) or LONG_AGO)))
    return found


def _order(search: FlagSearch, known: _Known) -> tuple[Callable[[str], Any], bool]:
    """Return what flags are sorted by, and whether the other way round."""
    back, name = search.sort.startswith("-"), search.sort.removeprefix("-")
    check("order", name, tuple(Sort))
    keys: Mapping[str, Callable[[str], Any]] = {
        Sort.NAME: str,
        Sort.TYPE: known.type,
        Sort.OWNER: lambda each: team(known.owner(each)),
        Sort.AGE: known.introduced,
        Sort.SEEN: lambda each: known.asked_at(each) or LONG_AGO,
        Sort.CHANGED: known.changed_at,
    }
    return keys[name], back


def _by_life(sort: str) -> bool:
    return sort.removeprefix("-") in {Sort.AGE, Sort.SEEN}


def _stands(row: FlagState | None, default: State, state: Stands) -> bool:
    if state in {Stands.SET, Stands.UNSET}:
        return (row is not None) is (state is Stands.SET)
    return (row.gates.state if row else default).value == state.value
