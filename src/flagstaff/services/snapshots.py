"""What does an application get to know about the flags of its environment?"""

from __future__ import annotations

from flagstaff.definitions.state import flag_of
from flagstaff.flags.snapshot import Snapshot
from flagstaff.services import actors
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store
from flagstaff.store.rollouts import active_flags


def snapshot(unit: Unit, environment: str) -> Snapshot:
    """Return all flags of the environment, defined or only set, at its present version.

    Raises:
        UsageError: the project has no such environment.
    """
    unit.context.check_environments((environment,))
    definitions = unit.context.definitions()
    found = store.find(unit.connection, environment=environment)
    states = {each.flag: each for each in found}
    gates = {each.flag: each.gates for each in found}
    flags = {
        name: flag_of(name, definitions.get(name), gates.get(name))
        for name in sorted({*definitions, *gates})
    }
    version = store.version(unit.connection, environment)
    return Snapshot(
        environment=environment,
        version=version,
        flags=flags,
        in_rollout=active_flags(unit.connection),
        drawn=actors.draws(unit, states) if environment == actors.PRODUCTION else {},
    )
