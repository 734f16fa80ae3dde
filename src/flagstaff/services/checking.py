"""What do our own state and definitions say to a step's check or condition?"""

from __future__ import annotations

from decimal import Decimal

from flagstaff.errors import UsageError
from flagstaff.flags.gates import Gates, State
from flagstaff.rollouts.checks import CheckFlag
from flagstaff.rollouts.condition import Facts, Place, parse_condition
from flagstaff.rollouts.event import Answer
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.flags import words_for
from flagstaff.services.policies.change import PRODUCTION, effective
from flagstaff.services.unit import Unit
from flagstaff.store import flags as flag_store
from flagstaff.store import locks
from flagstaff.store import rollouts as rollout_store

_ALL = Decimal(100)

NOBODY = Answer(
    yes=False,
    text="nobody is named who knows whether production is well: set `policies: health:` in "
    "flagstaff.yml",
)


def flag_is_as_said(unit: Unit, rollout: Rollout, check: CheckFlag) -> Answer:
    """Return whether the gates are in every environment as the check says."""
    flag = rollout.plan.flag
    default = _default(unit, flag)
    found = []
    for environment in check.environments:
        gates = _gates(unit, flag, environment)
        now = effective(gates, default)
        try:
            as_said = check.change.apply(now) == now
        except UsageError as exc:
            return Answer(yes=False, text=str(exc))
        if not as_said:
            found.append(f"{environment}: {words_for(unit, flag, gates)}")
    if found:
        return Answer(yes=False, text=f"not {check.change} yet in {'; '.join(found)}")
    return Answer(yes=True, text=f"{check.change} in {', '.join(check.environments)}")


def production_is_well(unit: Unit, said: Answer | None) -> Answer:
    """Return whether production is well: no incident is open there, and whoever knows says so."""
    for each in locks.current(unit.connection, unit.now):
        if (each.environment, each.kind) == (PRODUCTION, "incident"):
            return Answer(yes=False, text=f"an incident is open in {PRODUCTION}: {each.reason}")
    return NOBODY if said is None else said


def facts_for(unit: Unit, rollout: Rollout, text: str) -> Facts | None:
    """Return what a condition may ask about; `None` when nobody asks."""
    if not text:
        return None
    try:
        condition = parse_condition(text)
    except UsageError:
        condition = None  # the machine says why it cannot be read
    flag = rollout.plan.flag
    definition = unit.context.definitions().get(flag)
    default = _default(unit, flag)
    places = tuple(
        _place(environment, _gates(unit, flag, environment), default=default)
        for environment in unit.context.project.environments
    )
    others = condition.flags if condition else ()
    return Facts(
        flag=flag,
        type=definition.type if definition else "undefined",
        percentage=next(
            (each.percentage for each in places if each.environment == PRODUCTION), Decimal(0)
        ),
        places=places,
        rollouts=tuple((other, phase) for other in others if (phase := _phase(unit, other))),
    )


def _place(environment: str, gates: Gates | None, *, default: bool) -> Place:
    now = effective(gates, default)
    share = max(now.percentage_of_actors, now.percentage_of_time)
    return Place(
        environment=environment,
        state="unset" if gates is None else gates.state.value,
        percentage=_ALL if now.state is State.ON else share,
    )


def _phase(unit: Unit, flag: str) -> str:
    found = rollout_store.find(unit.connection, flag=flag, limit=1)
    return found[0].rollout.phase.value if found else ""


def _gates(unit: Unit, flag: str, environment: str) -> Gates | None:
    state = flag_store.get(unit.connection, environment, flag)
    return state.gates if state else None


def _default(unit: Unit, flag: str) -> bool:
    definition = unit.context.definitions().get(flag)
    return definition.default_enabled if definition else False
