"""Does what a definition declares reach applications?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import START
from flagstaff.definitions import Definitions
from flagstaff.definitions.prerequisites import Prerequisite
from flagstaff.definitions.state import flag_of
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.variant import Variant
from flagstaff.services.snapshots import snapshot
from flagstaff.store import flags as store
from flagstaff.store.flags import FlagState


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
