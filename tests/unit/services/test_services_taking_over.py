"""Do imported flags change together, under every policy and permission, and on record?"""

from __future__ import annotations

import pytest

from flagstaff.commands.model import ImportFlags, SetFlag, UndoEntry
from flagstaff.commands.roles import Role
from flagstaff.definitions import Policies
from flagstaff.errors import NotFound, Refused, UsageError
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.services.person import Person, Source
from flagstaff.store import audit, flags

ON = {"boolean": True}
SHARE = {"percentage_of_actors": "25", "actors": ["User:1"]}


def moved(gates, **more):
    return ImportFlags(gates=gates, origin="unleash", **more)


@pytest.fixture
def run(services, ada):
    return lambda command, **how: services.execute(command, ada, **how)


@pytest.fixture
def stored(services):
    def find(environment):
        with services.database.read() as connection:
            found = flags.find(connection, environment=environment)
            return {each.flag: each.gates for each in found}

    return find


@pytest.fixture
def entries(services):
    def find():
        with services.database.read() as connection:
            return audit.find(connection)

    return find


def test_all_flags_change_and_each_is_recorded(run, stored, entries):
    outcome = run(
        moved({"dev": {"new_navigation": ON}, "production": {"new_navigation": SHARE}}, reason="r")
    )
    assert outcome.text == "dev: 1 of 1 flags changed\nproduction: 1 of 1 flags changed"
    assert stored("dev") == {"new_navigation": Gates(boolean=True)}
    assert stored("production") == {"new_navigation": Gates.from_json(SHARE)}
    found = sorted(entries(), key=lambda each: each.environment)
    assert [(each.action, each.environment, each.reason) for each in found] == [
        ("flag.import", "dev", "r"),
        ("flag.import", "production", "r"),
    ]
    assert found[1].text == "new_navigation imported from unleash in production"
    assert (found[1].before, found[1].after) == (None, Gates.from_json(SHARE).to_json())


def test_what_is_so_already_is_not_written_again(run, entries):
    run(moved({"dev": {"new_navigation": ON}}))
    assert run(moved({"dev": {"new_navigation": ON}})).text == "dev: 0 of 1 flags changed"
    assert len(entries()) == 1


def test_an_import_can_be_undone_flag_by_flag(run, stored, entries):
    run(SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=True)))
    run(moved({"dev": {"new_navigation": SHARE}}))
    newest = max(each.id for each in entries())
    run(UndoEntry(entry=newest))
    assert stored("dev") == {"new_navigation": Gates(boolean=True)}


def test_a_dry_run_changes_nothing(run, stored, entries):
    outcome = run(moved({"dev": {"new_navigation": ON}}), dry_run=True)
    assert "dry run" in outcome.text
    assert stored("dev") == {}
    assert entries() == []


@pytest.mark.parametrize(
    ("gates", "kind", "what"),
    [
        ({"dev": {"new_navigation": ON, "nowhere": ON}}, NotFound, "not defined"),
        ({"mars": {"new_navigation": ON}}, UsageError, "no environment mars"),
        ({}, UsageError, "no flags"),
        ({"dev": {}}, UsageError, "no flags"),
        ({"dev": []}, UsageError, "no object"),
        ({"dev": {"new_navigation": {"boolean": 1}}}, UsageError, "dev: new_navigation: boolean"),
        ({"dev": {"new_navigation": {"expression": {"Any": []}}}}, UsageError, "Any"),
        ({"dev": {"new_navigation": {"actors": ["a b"]}}}, UsageError, "blanks"),
    ],
)
def test_one_mistake_and_nothing_is_changed(run, stored, entries, gates, kind, what):
    with pytest.raises(kind, match=what):
        run(moved(gates))
    assert stored("dev") == {}
    assert entries() == []


class TestPolicies:
    @pytest.fixture
    def policies(self):
        return Policies(consistency=True)

    def test_one_refusal_refuses_all(self, run, stored):
        gates = {"dev": {"new_navigation": ON}, "production": {"new_navigation": ON}}
        with pytest.raises(Refused, match="off in staging"):
            run(moved(gates))
        assert stored("dev") == {}

    def test_staging_and_production_are_judged_together(self, run, stored):
        gates = {"staging": {"new_navigation": ON}, "production": {"new_navigation": ON}}
        run(moved(gates))
        assert stored("production") == {"new_navigation": Gates(boolean=True)}

    def test_an_override_is_recorded(self, run, entries):
        gates = {"production": {"new_navigation": ON}}
        names = ("ignore-feature-flag-consistency-check",)
        run(moved(gates, overrides=names, reason="we move"))
        (entry,) = entries()
        assert (entry.override, entry.reason) == (names[0], "we move")


def test_it_takes_an_operator_in_every_environment(services, stored):
    eve = Person(name="eve", source=Source.TERMINAL, roles={"dev": Role.OPERATOR})
    services.execute(moved({"dev": {"new_navigation": ON}}), eve)
    with pytest.raises(Refused, match="operator"):
        services.execute(
            moved({"dev": {"new_navigation": SHARE}, "production": {"new_navigation": ON}}), eve
        )
    assert stored("dev") == {"new_navigation": Gates(boolean=True)}
