"""What is known of every flag's life?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache

from flagstaff.cleanup.mentions import mentioned
from flagstaff.definitions import Definition
from flagstaff.errors import FlagstaffError
from flagstaff.flags.gates import State
from flagstaff.flags.stale import FlagFacts, Standing
from flagstaff.services.lives.exposures import Heard, heard
from flagstaff.services.permissions import visible
from flagstaff.services.unit import Unit
from flagstaff.store import flags as flag_store
from flagstaff.store import lives as store
from flagstaff.store import rollouts as rollout_store
from flagstaff.store.flags import FlagState
from flagstaff.store.lives import Life

UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is read once for all flags."""

    places: tuple[str, ...]
    rows: Mapping[str, Mapping[str, FlagState]]
    lives: Mapping[str, Life]
    removed: Mapping[tuple[str, str], datetime]
    once_set: frozenset[str]
    heard: Heard
    running: frozenset[str]
    referenced: frozenset[str] | None


def facts(unit: Unit, *, search: bool = True) -> list[FlagFacts]:
    """Return what is known of each flag, by name, in the environments the asker may look into.

    Without `search`, nobody looks into the code.
    """
    states = flag_store.find(unit.connection)
    definitions = unit.context.definitions()
    names = sorted({*definitions, *(each.flag for each in states)})
    known = _known(unit, states, store.find(unit.connection), search=search)
    return [_facts(unit, name, definitions.get(name), known) for name in names]


def facts_of(unit: Unit, name: str) -> FlagFacts:
    """Return what is known of one flag, in the environments the asker may look into."""
    life = store.get(unit.connection, name)
    known = _known(
        unit,
        flag_store.find(unit.connection, flag=name),
        {name: life} if life else {},
        search=True,
    )
    return _facts(unit, name, unit.context.definitions().get(name), known)


def _known(
    unit: Unit, states: Iterable[FlagState], lives: Mapping[str, Life], *, search: bool
) -> _Known:
    rows: dict[str, dict[str, FlagState]] = {}
    for state in states:
        rows.setdefault(state.flag, {})[state.environment] = state
    removed = store.removals(unit.connection)
    return _Known(
        places=visible(unit),
        rows=rows,
        lives=lives,
        removed=removed,
        once_set=frozenset(flag for flag, _ in removed),
        heard=heard(unit, lives),
        running=rollout_store.active_flags(unit.connection),
        referenced=_referenced(unit, unit.context.definitions()) if search else None,
    )


def introduced(
    unit: Unit, definition: Definition | None, life: Life | None, rows: Iterable[FlagState] = ()
) -> datetime:
    """Return from when a flag's lifespan counts.

    The first of: the day its definition names, that of its milestone, when history or we first saw
    it, whichever was earlier, and now for one that is new.
    """
    if definition is not None:
        milestones = unit.context.project.lifecycle.milestones
        day = definition.introduced_on or milestones.get(definition.milestone or "")
        if day is not None:
            return midnight(day)
    seen = [unit.now, *(each.updated_at for each in rows)]
    if life is not None:
        seen += [life.first_seen, life.introduced_at or life.first_seen]
    return min(seen)


def midnight(day: date) -> datetime:
    """Return when a day begins."""
    return datetime.combine(day, time(), UTC)


def _facts(unit: Unit, name: str, definition: Definition | None, known: _Known) -> FlagFacts:
    rows = known.rows.get(name, {})
    life = known.lives.get(name)
    kind = definition.type if definition else UNDEFINED
    came = introduced(unit, definition, life, rows.values())
    default = State.ON if definition and definition.default_enabled else State.OFF
    standings = _standings(name, default, rows, known)
    ends_at = unit.context.project.lifecycle.lifespans[kind].after(came)
    unseen = known.referenced is None or definition is None
    return FlagFacts(
        name=name,
        type=kind,
        owner=(definition.group or "") if definition else "",
        defined=definition is not None,
        standings=standings,
        introduced_at=came,
        # What a person has settled stands in the place of the lifespan.
        ends_at=None if definition is None or (life and life.due_by) else ends_at,
        rollout_by=definition.intended_to_rollout_by if definition else None,
        due_at=life.due_at if life and definition else None,
        exposed_at=known.heard.exposed.get(name),
        exposures_since=known.heard.since,
        exposures_until=known.heard.until,
        referenced=None if unseen else name in (known.referenced or frozenset()),
        in_rollout=name in known.running,
    )


def _standings(
    name: str, default: State, rows: Mapping[str, FlagState], known: _Known
) -> tuple[Standing, ...]:
    if not rows and name not in known.once_set:
        return _nowhere(known.places, default)
    return tuple(
        _set(rows[place])
        if place in rows
        else _unset(place, default, known.removed.get((name, place)))
        for place in known.places
    )


@lru_cache(maxsize=256)
def _nowhere(places: tuple[str, ...], default: State) -> tuple[Standing, ...]:
    """Return how a flag stands that nobody has ever set."""
    return tuple(_unset(place, default, None) for place in places)


def _set(row: FlagState) -> Standing:
    return Standing(
        environment=row.environment, state=row.gates.state, since=row.updated_at, is_set=True
    )


@lru_cache(maxsize=1_024)
def _unset(environment: str, default: State, since: datetime | None) -> Standing:
    """Return how a flag stands that nobody has set there: most do, and alike."""
    return Standing(environment=environment, state=default, since=since, is_set=False)


def _referenced(unit: Unit, names: Iterable[str]) -> frozenset[str] | None:
    """Return the flags that the code mentions, `None` where there is no code to be read."""
    project = unit.context.project
    if not project.lifecycle.references or unit.context.repository is None:
        return None
    try:
        return mentioned(unit.context.root, names, leave_out=(project.flags, project.changelog))
    except FlagstaffError:
        return None
