"""What does an application get to know about the flags of its environment?"""

from __future__ import annotations

from flagstaff.flags.flag import Flag
from flagstaff.flags.snapshot import Snapshot
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store

UNDEFINED = "undefined"


def snapshot(unit: Unit, environment: str) -> Snapshot:
    """Return all flags of the environment, defined or only set, at its present version.

    Raises:
        UsageError: the project has no such environment.
    """
    unit.context.check_environments((environment,))
    definitions = unit.context.definitions()
    found = store.find(unit.connection, environment=environment)
    states = {each.flag: each.gates for each in found}
    flags = {}
    for name in sorted({*definitions, *states}):
        definition = definitions.get(name)
        flags[name] = Flag(
            name=name,
            type=definition.type if definition else UNDEFINED,
            default=definition.default_enabled if definition else False,
            gates=states.get(name),
        )
    version = store.version(unit.connection, environment)
    return Snapshot(environment=environment, version=version, flags=flags)
