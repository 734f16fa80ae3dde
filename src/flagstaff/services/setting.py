"""What comes of a person's word on the gates of a flag, and of the rollout that it crosses?"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from flagstaff.commands.model import DeleteFlag, SetFlag
from flagstaff.commands.outcome import Outcome
from flagstaff.flags.describe import removed_gates
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import Paused
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.finding import find_rollout
from flagstaff.services.flags import (
    Place,
    change_gates,
    changed_gates,
    remove_state,
    running_rollout,
    state_json,
    words_for,
)
from flagstaff.services.moving import move
from flagstaff.services.policies import judging
from flagstaff.services.policies.judging import Request
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord


def set_flag(unit: Unit, command: SetFlag) -> Outcome:
    """Change the gates in every environment named, or in none."""
    unit.known_flag(command.flag)
    unit.context.check_environments(command.environments)
    rollout = _under_way(unit, command.flag)
    judging.lock(unit, command.environments)
    judging.check(
        unit,
        Request(
            flag=command.flag,
            after=changed_gates(unit, command.flag, command.environments, command.change),
            overrides=command.overrides,
            reason=command.reason,
        ),
    )
    lines, data, narrowed = [], {}, set()
    for environment in command.environments:
        place = Place(flag=command.flag, environment=environment, reason=command.reason)
        before, after = change_gates(unit, place, command.change)
        data[environment] = state_json(unit, command.flag, after)
        lines.append(f"{environment}: {words_for(unit, command.flag, after)}")
        if removed := removed_gates(before, after):
            lines.append(f"{environment}: this closed {', '.join(removed)}")
        if _narrows(before, after):
            narrowed.add(environment)
    lines += _paused(unit, rollout, narrowed) or running_rollout(unit, command.flag)
    where = "".join(f" --{name}" for name in command.environments)
    return Outcome(
        text="\n".join(lines), data=data, next=f"flagstaff feature get {command.flag}{where}"
    )


def delete_flag(unit: Unit, command: DeleteFlag) -> Outcome:
    """Remove the state in every environment named."""
    unit.context.check_environments(command.environments)
    rollout = _under_way(unit, command.flag)
    judging.lock(unit, command.environments)
    judging.check(
        unit,
        Request(
            flag=command.flag,
            after=dict.fromkeys(command.environments),
            overrides=command.overrides,
            reason=command.reason,
        ),
    )
    lines, data, narrowed = [], {}, set()
    for environment in command.environments:
        place = Place(flag=command.flag, environment=environment, reason=command.reason)
        before = remove_state(unit, place)
        what = "deleted" if before else "was not set there"
        words = words_for(unit, command.flag, None)
        lines.append(f"{environment}: {command.flag} {what}; {words}")
        data[environment] = before is not None
        if _narrows(before, None):
            narrowed.add(environment)
    if not any(data.values()):
        unit.known_flag(command.flag)
    lines += _paused(unit, rollout, narrowed) or running_rollout(unit, command.flag)
    return Outcome(text="\n".join(lines), data=data)


def _under_way(unit: Unit, flag: str) -> RolloutRecord | None:
    """Return the rollout of a flag, kept from others: it is locked before gates are, as always."""
    number = store.active_by_flag(unit.connection, flag).get(flag)
    return find_rollout(unit, number, lock=True) if number is not None else None


def _narrows(before: Gates | None, after: Gates | None) -> bool:
    """Return whether some of those who had the flag may have it no longer."""
    old, new = before or Gates(), after or Gates()
    if new.boolean:
        return False
    smaller = (
        new.percentage_of_actors < old.percentage_of_actors
        or new.percentage_of_time < old.percentage_of_time
    )
    return smaller or bool(removed_gates(before, after))


def _paused(unit: Unit, record: RolloutRecord | None, narrowed: AbstractSet[str]) -> list[str]:
    """Pause a rollout that would open again what a person has just closed, and say so."""
    if record is None:
        return []
    rollout = record.rollout
    where = sorted(narrowed & {*rollout.plan.production})
    moves = rollout.phase in {Phase.RUNNING, Phase.WAITING}
    if not where or not moves or not rollout.watching:
        return []
    reason = f"{unit.by.name} closed the flag in {', '.join(where)}"
    move(unit, record, Paused(by=unit.by.name, reason=reason))
    number = rollout.id
    return [
        f"rollout {number} is paused, so that it does not open the flag again",
        f'put everything back: flagstaff rollout abort {number} --reason "…"',
        f"or go on: flagstaff rollout resume {number}",
    ]
