"""Does an edited definition give every environment a new version, and nothing else?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flagstaff.definitions import Definitions
from flagstaff.flags.variant import Variant
from flagstaff.services.declared import note_definitions
from flagstaff.services.services import Services
from flagstaff.store import flags as store


@pytest.fixture
def note(services, ada, clock):
    def note(definitions, noted=""):
        context = replace(services.context, definitions=lambda: definitions)
        heard = set()
        replica = Services(services.database, context, clock)
        replica.listen(heard.update)
        with replica.unit(ada, write=True) as unit:
            found = note_definitions(unit, noted)
        return found, heard

    return note


@pytest.fixture
def versions(services):
    def versions():
        with services.database.read() as connection:
            environments = services.context.project.environments
            return {store.version(connection, each) for each in environments}

    return versions


@pytest.fixture
def edited(definitions):
    one, *others = definitions.values()
    return Definitions([replace(one, variants=(Variant(name="blue"),)), *others])


def test_the_first_note_changes_nothing(note, definitions, versions):
    assert note(definitions)[1] == set()
    assert versions() == {0}


def test_an_edited_definition_is_a_new_version_everywhere(
    note, definitions, edited, versions, services
):
    note(definitions)
    _, heard = note(edited)
    assert versions() == {1}
    assert heard == {f"flags:{each}" for each in services.context.project.environments}
    note(edited)
    assert versions() == {1}


def test_what_no_client_sees_is_no_new_version(note, definitions, versions):
    note(definitions)
    one, *others = definitions.values()
    note(Definitions([replace(one, group="group::other"), *others]))
    assert versions() == {0}


def test_a_replica_that_is_late_gives_its_own_clients_a_new_version(
    note, definitions, edited, versions
):
    late, _ = note(definitions)
    note(edited)
    assert versions() == {1}
    note(edited, late)
    assert versions() == {2}


def test_back_to_what_it_was_is_a_new_version_too(note, definitions, edited, versions):
    note(definitions)
    note(edited)
    note(definitions)
    assert versions() == {2}
