"""Which rollout has this number?"""

from __future__ import annotations

from flagstaff.errors import NotFound
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord


def find_rollout(unit: Unit, number: int, *, lock: bool = False) -> RolloutRecord:
    """Return a rollout; with `lock`, kept from others until this transaction ends.

    Raises:
        NotFound: there is none with this number.
    """
    record = store.get(unit.connection, number, lock=lock)
    if record is None:
        raise NotFound(f"there is no rollout {number}", hint="flagstaff rollout list")
    return record
