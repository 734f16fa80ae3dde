"""Is what nobody defines deleted as shown, all or nothing, and never anything else?"""

from __future__ import annotations

import pytest

from fakes import plan_of
from flagstaff.commands.life_model import DeleteUndefined
from flagstaff.commands.roles import Role
from flagstaff.definitions import Policies
from flagstaff.errors import Conflict, Forbidden, Refused, UsageError
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.plan import Approve
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.store import audit, flags
from flagstaff.store.flags import FlagState


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "config/feature_flags/ops"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def put(services):
    """Write the state of a flag that the definitions no longer know."""

    def write(flag, *environments, on=True):
        with services.unit(ENGINE, write=True) as unit:
            for environment in environments:
                state = FlagState(
                    environment=environment,
                    flag=flag,
                    gates=Gates(boolean=on),
                    updated_at=unit.now,
                    updated_by="ada",
                )
                flags.put(unit.connection, state)

    return write


@pytest.fixture
def left(services):
    def names(environment):
        with services.database.read() as connection:
            return [each.flag for each in flags.find(connection, environment=environment)]

    return names


@pytest.fixture
def delete(services, ada):
    def ask(*environments, marks=(), by=ada, **more):
        command = DeleteUndefined(environments=environments, confirm=tuple(marks), **more)
        return services.execute(command, by)

    return ask


def marks(outcome):
    return [each["mark"] for each in outcome.data.values()]


@pytest.mark.usefixtures("folder")
def test_names_are_shown_first_and_only_what_was_shown_goes(put, left, delete):
    put("old_one", "dev", "production")
    put("old_two", "dev")
    put("new_navigation", "dev")
    shown = delete("dev", "production")
    assert "dev: 2 flags without definition to be deleted\n  old_one: " in shown.text
    assert "production: 1 flag without definition to be deleted" in shown.text
    assert left("dev") == ["new_navigation", "old_one", "old_two"]
    assert shown.next.startswith("flagstaff feature delete --undefined --environment dev --confirm")
    done = delete("dev", "production", marks=marks(shown), reason="tidy")
    assert "dev: 2 flags without definition deleted" in done.text
    assert left("dev") == ["new_navigation"]
    assert left("production") == []


@pytest.mark.usefixtures("folder")
def test_each_deletion_is_an_entry_of_the_log_with_what_was_there(services, put, delete):
    put("old_one", "dev", "production")
    delete("dev", "production", marks=marks(delete("dev", "production")), reason="tidy")
    with services.database.read() as connection:
        entries = audit.find(connection, flag="old_one")
    assert {(each.action, each.environment, each.reason) for each in entries} == {
        ("flag.delete", "dev", "tidy"),
        ("flag.delete", "production", "tidy"),
    }
    assert all(each.before and each.after is None for each in entries)


@pytest.mark.usefixtures("folder")
def test_a_flag_that_came_after_the_look_stops_it_all(put, left, delete):
    put("old_one", "dev", "staging")
    seen = marks(delete("dev", "staging"))
    put("old_two", "staging")
    with pytest.raises(Conflict, match="in staging these are not the flags that were shown"):
        delete("dev", "staging", marks=seen)
    assert left("dev") == ["old_one"]
    # What is agreed to for one environment is not agreed to for another.
    with pytest.raises(Conflict):
        delete("dev", "staging", marks=seen[:1])
    assert left("dev") == ["old_one"]


@pytest.mark.usefixtures("folder")
def test_job_switches_and_flags_in_a_rollout_stay(put, delete, added):
    put("run_sidekiq_jobs_Mailer", "dev")
    put("drop_jobs_Mailer", "dev")
    put("rolling", "dev")
    added(plan_of(Approve(), flag="rolling"))
    assert delete("dev").text == "dev: no flag is set without a definition"
    assert delete("dev").next == ""


def test_a_broken_file_still_defines_its_flag(folder, put, delete):
    put("broken", "dev")
    (folder / "broken.yaml").write_text("name: [")
    assert delete("dev").data["dev"]["flags"] == []


def test_without_the_folder_nothing_is_deleted(put, left, delete):
    put("old_one", "dev")
    with pytest.raises(Refused, match="every flag would be undefined"):
        delete("dev")
    with pytest.raises(Refused):
        delete("dev", marks=["1-00000000"])
    assert left("dev") == ["old_one"]


@pytest.mark.usefixtures("folder")
def test_who_may_not_change_one_of_the_environments_deletes_nothing(put, left, delete):
    put("old_one", "dev", "production")
    bob = Person(name="bob", source=Source.CHAT, roles={"dev": Role.OPERATOR})
    seen = marks(delete("dev", "production"))
    with pytest.raises(Forbidden):
        delete("dev", "production", marks=seen, by=bob)
    assert left("dev") == ["old_one"]
    with pytest.raises(UsageError):
        delete("no-such-place")


@pytest.mark.usefixtures("folder")
def test_a_rehearsal_takes_everything_back(services, put, left, delete, ada):
    put("old_one", "dev")
    command = DeleteUndefined(environments=("dev",), confirm=tuple(marks(delete("dev"))))
    outcome = services.execute(command, ada, dry_run=True)
    assert "nothing was changed" in outcome.text
    assert left("dev") == ["old_one"]


class TestPolicies:
    @pytest.fixture
    def policies(self):
        return Policies(consistency=True, allow_random=True)

    @pytest.mark.usefixtures("folder")
    def test_a_policy_in_the_way_of_one_flag_stops_all_and_can_be_overruled(
        self, put, left, delete, services
    ):
        put("old_off", "staging", "production", on=False)
        put("old_on", "staging", "production")
        with pytest.raises(Refused, match="old_on cannot be turned off in staging"):
            delete("staging", marks=["2-00000000"])
        assert left("staging") == ["old_off", "old_on"]
        anyway = {"overrides": ("ignore-feature-flag-consistency-check",), "reason": "gone"}
        delete("staging", marks=marks(delete("staging", **anyway)), **anyway)
        assert left("staging") == []
        with services.database.read() as connection:
            (entry,) = audit.find(connection, flag="old_on")
        assert entry.override == "ignore-feature-flag-consistency-check"

    @pytest.mark.usefixtures("folder")
    def test_what_goes_everywhere_at_once_is_in_no_policy_s_way(self, put, left, delete):
        put("old_on", "staging", "production")
        delete("staging", "production", marks=marks(delete("staging", "production")))
        assert left("staging") == left("production") == []
