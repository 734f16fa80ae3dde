"""Does what a definition declares reach applications?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from fakes import START, plan_of, turn_on
from flagstaff.definitions import Definitions
from flagstaff.definitions.prerequisites import Prerequisite
from flagstaff.definitions.state import flag_of
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.variant import Variant
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.snapshots import snapshot
from flagstaff.store import flags as store
from flagstaff.store.flags import FlagState
from flagstaff.store.tables import rollout


@pytest.fixture
def definitions(definitions):
    declared = replace(
        definitions["new_navigation"],
        bucketing=Bucketing.MURMUR3,
        variants=(Variant(name="blue", payload=3), Variant(name="red", weight=2)),
        prerequisites=(Prerequisite(flag="other", value=False),),
    )
    return Definitions([declared])


def test_the_snapshot_holds_everything_a_definition_declares(services, ada, definitions):
    gates = Gates(boolean=True)
    state = FlagState(
        environment="dev", flag="new_navigation", gates=gates, updated_at=START, updated_by="ada"
    )
    with services.database.write() as connection:
        store.put(connection, state)
        store.put(connection, replace(state, flag="left_over"))
    found = services.ask(lambda unit: snapshot(unit, "dev"), ada)
    assert found.flags["new_navigation"] == flag_of(
        "new_navigation", definitions["new_navigation"], gates
    )
    assert found.flags["new_navigation"].bucketing is Bucketing.MURMUR3
    assert found.flags["left_over"].type == "undefined"
    assert Snapshot.from_json(found.to_json()) == found


def test_the_snapshot_says_which_flags_are_in_a_rollout(services, ada, added):
    def told():
        return services.ask(lambda unit: snapshot(unit, "production"), ada).in_rollout

    assert told() == frozenset()
    number = added(plan_of(turn_on("production")))
    assert told() == {"new_navigation"}
    with services.unit(ada, write=True) as unit:
        unit.connection.execute(
            update(rollout).where(rollout.c.id == number).values(phase=Phase.COMPLETED.value)
        )
    assert told() == frozenset()
