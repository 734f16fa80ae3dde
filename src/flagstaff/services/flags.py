"""How do the gates of a flag change, and what is recorded of it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flagstaff.commands.model import GetFlag, ListFlags
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.flags.change import GateChange
from flagstaff.flags.describe import describe
from flagstaff.flags.gates import Gates
from flagstaff.services import side_effects
from flagstaff.services.lives.due import due_of
from flagstaff.services.permissions import visible
from flagstaff.services.unit import Overruled, Unit
from flagstaff.store import flags as store
from flagstaff.store import rollouts as store_rollouts
from flagstaff.store.flags import FlagState


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One flag in one environment, and on whose behalf it changes."""

    flag: str
    environment: str
    rollout_id: int | None = None
    step: str = ""
    reason: str = ""


def get_flag(unit: Unit, command: GetFlag) -> Outcome:
    """Say what the flag does in every environment named."""
    environments = command.environments or visible(unit)
    unit.context.check_environments(environments)
    lines, data = [], {}
    known = command.flag in unit.context.definitions()
    for environment in environments:
        state = store.get(unit.connection, environment, command.flag)
        known = known or state is not None
        gates = state.gates if state else None
        line = f"{environment}: {words_for(unit, command.flag, gates)}"
        if state:
            line += f" (since {state.updated_at:%Y-%m-%d %H:%M} UTC, {state.updated_by})"
        lines.append(line)
        data[environment] = state_json(unit, command.flag, gates)
    if not known:
        unit.known_flag(command.flag)
    if due := due_of(unit, command.flag):
        lines.append(str(due))
    return Outcome(text="\n".join([command.flag, *lines]), data=data)


def list_flags(unit: Unit, command: ListFlags) -> Outcome:
    """Say what every flag does in every environment named."""
    environments = command.environments or visible(unit)
    unit.context.check_environments(environments)
    lines: list[str] = []
    data: dict[str, Json] = {}
    for environment in environments:
        states = {
            each.flag: each.gates for each in store.find(unit.connection, environment=environment)
        }
        names = sorted(name for name in {*states, *unit.context.definitions()})
        shown = [name for name in names if command.match in name]
        data[environment] = {name: state_json(unit, name, states.get(name)) for name in shown}
        lines.append(f"{environment}: {len(shown)} flag{'' if len(shown) == 1 else 's'}")
        lines += [f"  {name}: {words_for(unit, name, states.get(name))}" for name in shown]
    return Outcome(text="\n".join(lines), data=data)


def changed_gates(
    unit: Unit, flag: str, environments: Iterable[str], change: GateChange
) -> dict[str, Gates | None]:
    """Return what the gates in each environment would be after the change."""
    places = {name: Place(flag=flag, environment=name) for name in environments}
    return {name: change.apply(_gates(unit, place) or Gates()) for name, place in places.items()}


def change_gates(unit: Unit, place: Place, change: GateChange) -> tuple[Gates | None, Gates]:
    """Apply a change in one environment and record it; return the gates before and after."""
    before = _gates(unit, place)
    after = change.apply(before or Gates())
    _write(unit, place, before, after, text=f"{place.flag} set to {change}", action="flag.set")
    return before, after


def restore_gates(
    unit: Unit, place: Place, gates: Gates | None, *, action: str = "flag.restore", text: str = ""
) -> None:
    """Put the gates in one environment back exactly as they were."""
    before = _gates(unit, place)
    text = text or f"{place.flag} restored"
    if gates is not None:
        _write(unit, place, before, gates, text=text, action=action)
    elif before is not None:
        store.remove(unit.connection, place.environment, place.flag)
        _record(unit, place, before, None, text=text, action=action)


def remove_state(unit: Unit, place: Place) -> Gates | None:
    """Delete the state in one environment and record it; return the gates if it was set."""
    before = _gates(unit, place)
    if before is None:
        return None
    store.remove(unit.connection, place.environment, place.flag)
    text = f"{place.flag} deleted"
    _record(unit, place, before, None, text=text, action="flag.delete")
    return before


def _gates(unit: Unit, place: Place) -> Gates | None:
    state = store.get(unit.connection, place.environment, place.flag)
    return state.gates if state else None


def _write(unit: Unit, place: Place, before: Gates | None, after: Gates, **words: str) -> None:
    state = FlagState(
        environment=place.environment,
        flag=place.flag,
        gates=after,
        updated_at=unit.now,
        updated_by=unit.by.name,
    )
    store.put(unit.connection, state)
    _record(unit, place, before, after, **words)


def _record(
    unit: Unit,
    place: Place,
    before: Gates | None,
    after: Gates | None,
    *,
    text: str,
    action: str,
) -> None:
    unit.changed.add(f"flags:{place.environment}")
    overruled = unit.overruled.get((place.flag, place.environment), Overruled())
    entry = unit.record(
        action,
        flag=place.flag,
        environment=place.environment,
        rollout_id=place.rollout_id,
        step=place.step,
        before=before.to_json() if before else None,
        after=after.to_json() if after else None,
        text=f"{text} in {place.environment}",
        reason=place.reason or overruled.reason,
        override=overruled.names,
    )
    definition = unit.context.definitions().get(place.flag)
    side_effects.want(
        unit,
        entry,
        words=words_for(unit, place.flag, after),
        issue=(definition.rollout_issue_url if definition else None) or "",
    )


def _default(unit: Unit, flag: str) -> bool:
    definition = unit.context.definitions().get(flag)
    return definition.default_enabled if definition else False


def words_for(unit: Unit, flag: str, gates: Gates | None) -> str:
    """Return who gets the flag, in words."""
    return describe(gates, default=_default(unit, flag))


def state_json(unit: Unit, flag: str, gates: Gates | None) -> dict[str, Json]:
    """Return one flag in one environment for programs."""
    return {
        "set": gates is not None,
        "state": gates.state.value if gates else None,
        "gates": gates.to_json() if gates else None,  # type: ignore[dict-item]
        "default": _default(unit, flag),
        "words": words_for(unit, flag, gates),
    }


def running_rollout(unit: Unit, flag: str) -> list[str]:
    """Return what to tell somebody who changes a flag that a rollout is about to change."""
    running = store_rollouts.find(unit.connection, active=True, flag=flag)
    return [
        f"note: rollout {each.rollout.id} is {each.rollout.phase} for this flag and will go on; "
        f"stop it with: flagstaff rollout pause {each.rollout.id}"
        for each in running
    ]
