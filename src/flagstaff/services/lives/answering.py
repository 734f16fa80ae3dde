"""Who answers the commands about the lives of flags?"""

from __future__ import annotations

from typing import assert_never

from flagstaff.commands.life_model import DeleteUndefined, LifeCommand, ListStale, SetDue
from flagstaff.commands.outcome import Outcome
from flagstaff.services.lives.deleting import delete_undefined
from flagstaff.services.lives.due import set_due
from flagstaff.services.lives.stale import list_stale
from flagstaff.services.unit import Unit


def answer(unit: Unit, command: LifeCommand) -> Outcome:
    """Carry out one of the commands."""
    match command:
        case ListStale():
            return list_stale(unit, command)
        case SetDue():
            return set_due(unit, command)
        case DeleteUndefined():
            return delete_undefined(unit, command)
        case _:
            assert_never(command)
