"""Are flags changed everywhere or nowhere, said in words, and recorded?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import START, share
from flagstaff.commands.model import DeleteFlag, GetFlag, ListFlags, SetFlag
from flagstaff.definitions import Definitions
from flagstaff.errors import FlagstaffError, NotFound, Problem, UsageError
from flagstaff.flags.change import Actors, Boolean, PercentageOfTime
from flagstaff.flags.gates import Gates
from flagstaff.services.services import Services
from flagstaff.services.snapshots import snapshot
from flagstaff.store import audit, flags

ON, OFF = Boolean(value=True), Boolean(value=False)
SHARE = share("25.000")


def set_to(change, *environments, flag="new_navigation", reason=""):
    return SetFlag(
        flag=flag, environments=environments or ("production",), change=change, reason=reason
    )


def get(*environments, flag="new_navigation"):
    return GetFlag(flag=flag, environments=environments or ("production",))


def delete(*environments, flag="new_navigation"):
    return DeleteFlag(flag=flag, environments=environments or ("production",))


@pytest.fixture
def run(services, ada):
    return lambda command, **how: services.execute(command, ada, **how)


@pytest.fixture
def entries(services):
    def find():
        with services.database.read() as connection:
            return audit.find(connection)

    return find


class TestSetting:
    def test_says_what_holds_now_in_every_environment(self, run):
        outcome = run(set_to(ON, "dev", "staging"))
        assert outcome.text == "dev: on for everyone\nstaging: on for everyone"
        assert outcome.next == "flagstaff feature get new_navigation --dev --staging"
        assert outcome.data["dev"] == {
            "set": True,
            "state": "on",
            "gates": Gates(boolean=True).to_json(),
            "default": False,
            "words": "on for everyone",
        }

    def test_off_is_explicit_and_not_the_same_as_never_set(self, run):
        assert run(set_to(OFF, flag="old_search")).text == (
            "production: off for everyone (explicitly)"
        )
        shown = run(get("dev", "production", flag="old_search"))
        assert shown.data["production"]["set"] is True
        assert shown.data["production"]["state"] == "off"
        assert shown.data["dev"]["set"] is False
        assert shown.data["dev"]["words"] == "not set: default on"

    def test_what_it_closes_is_said(self, run):
        run(set_to(Actors(ids=("User:1", "User:2"), value=True)))
        run(set_to(PercentageOfTime(value=share(5).value)))
        outcome = run(set_to(ON))
        assert "production: this closed 2 actors, 5 % of time" in outcome.text

    def test_a_percentage_narrows_a_flag_that_is_on_for_everyone(self, run):
        run(set_to(ON))
        outcome = run(set_to(SHARE))
        assert outcome.text == (
            "production: on for 25 % of actors\nproduction: this closed on for everyone"
        )
        assert outcome.data["production"]["gates"]["percentage_of_actors"] == "25"

    def test_an_unknown_flag_is_refused_with_what_was_meant(self, run, entries):
        with pytest.raises(NotFound) as caught:
            run(set_to(ON, flag="new_navigatoin"))
        assert caught.value.hint == "did you mean new_navigation?"
        with pytest.raises(NotFound) as caught:
            run(set_to(ON, flag="zzz"))
        assert caught.value.hint == "define it in YAML first"
        assert entries() == []

    def test_a_flag_whose_file_is_wrong_is_not_called_undefined(self, services, ada):
        wrong = Problem(file="flags/ops/gamma.yml", line=3, what="is neither", remedy="choose")
        context = replace(services.context, definitions=lambda: Definitions(errors=(wrong,)))
        with pytest.raises(NotFound) as caught:
            Services(services.database, context, services.clock).execute(
                set_to(ON, flag="gamma"), ada
            )
        assert caught.value.message == (
            "the definition of gamma is wrong: flags/ops/gamma.yml:3: is neither; choose"
        )
        assert "flagstaff lint" in caught.value.hint

    def test_switches_of_workers_need_no_definition(self, run):
        assert run(set_to(OFF, flag="run_sidekiq_jobs_Chat::NotifyWorker")).ok

    @pytest.mark.parametrize(
        ("environments", "words"),
        [
            (("dev", "prod"), "no environment prod"),
            (("prod", "stage"), "no environment prod, stage"),
            ((), "no environment is named"),
        ],
    )
    def test_unknown_environments_change_none(self, run, entries, environments, words):
        command = SetFlag(flag="new_navigation", environments=environments, change=ON)
        with pytest.raises(UsageError, match=words) as caught:
            run(command)
        assert "dev, staging" in caught.value.hint
        assert entries() == []

    def test_a_change_that_fails_in_one_environment_changes_none(self, run, entries):
        bad = Actors(ids=("User:1", "has blanks"), value=True)
        with pytest.raises(UsageError):
            run(set_to(bad, "dev", "staging"))
        assert entries() == []
        assert run(get("dev")).data["dev"]["set"] is False

    def test_the_audit_log_has_before_and_after_who_and_why(self, run, entries):
        run(set_to(ON, "dev"))
        run(set_to(SHARE, "dev", "production", reason="trying it"))
        production, dev, first = entries()
        assert (first.before, first.after) == (None, Gates(boolean=True).to_json())
        assert (dev.before, dev.after) == (first.after, production.after)
        assert (production.before, production.environment) == (None, "production")
        assert (dev.who, dev.source, dev.at) == ("ada", "terminal", START)
        assert (dev.action, dev.flag, dev.reason) == ("flag.set", "new_navigation", "trying it")
        assert dev.text == "new_navigation set to 25 --actors in dev"

    def test_a_dry_run_answers_and_changes_nothing(self, run, entries, services):
        heard = []
        services.listen(heard.append)
        outcome = run(set_to(ON), dry_run=True)
        assert outcome.text.startswith("production: on for everyone")
        assert outcome.text.endswith("nothing was changed (dry run)")
        assert (entries(), heard) == ([], [])

    def test_listeners_hear_after_the_commit_and_cannot_spoil_it(self, run, services, caplog):
        heard = []

        def spoil(names):
            raise RuntimeError(str(names))

        def note(names):
            heard.append((names, run(get()).data["production"]["state"]))

        services.listen(spoil)
        services.listen(note)
        run(set_to(ON))
        assert heard == [(frozenset({"flags:production"}), "on")]
        assert "a listener failed" in caplog.text
        with pytest.raises(FlagstaffError):
            run(set_to(ON, "nowhere"))
        run(get())
        assert len(heard) == 1


class TestShowing:
    def test_says_since_when_and_by_whom(self, run):
        run(set_to(ON))
        assert run(get()).text == (
            "new_navigation\nproduction: on for everyone (since 2026-03-02 09:00 UTC, ada)"
        )

    def test_an_unknown_flag_is_not_found(self, run):
        with pytest.raises(NotFound, match="no flag nothing_like_it"):
            run(get(flag="nothing_like_it"))

    def test_a_flag_that_lost_its_definition_is_still_shown(self, run, services):
        with services.database.write() as connection:
            flags.put(connection, forgotten())
        assert "on for everyone" in run(get(flag="forgotten")).text
        assert "forgotten: on for everyone" in run(ListFlags(environments=("production",))).text

    def test_the_list_has_defined_and_set_flags_by_name(self, run):
        run(set_to(ON))
        outcome = run(ListFlags(environments=("production", "dev")))
        assert outcome.text.splitlines()[:5] == [
            "production: 3 flags",
            "  new_navigation: on for everyone",
            "  old_search: not set: default on",
            "  rename_integrations_workers: not set: default off",
            "dev: 3 flags",
        ]
        assert list(outcome.data["dev"]) == [
            "new_navigation",
            "old_search",
            "rename_integrations_workers",
        ]

    def test_without_environments_it_is_all_of_them(self, run):
        run(set_to(ON, "dev"))
        outcome = run(GetFlag(flag="new_navigation", environments=()))
        names = list(outcome.data)
        assert {"dev", "staging", "production"} < set(names)
        assert outcome.text.splitlines()[1].startswith("dev: on for everyone")
        assert list(run(ListFlags(environments=())).data) == names

    def test_the_list_can_be_narrowed(self, run):
        outcome = run(ListFlags(environments=("dev",), match="navi"))
        assert outcome.text == "dev: 1 flag\n  new_navigation: not set: default off"


def forgotten():
    return flags.FlagState(
        environment="production",
        flag="forgotten",
        gates=Gates(boolean=True),
        updated_at=START,
        updated_by="ada",
    )


class TestDeleting:
    def test_lets_the_default_apply_again(self, run, entries):
        run(set_to(OFF, "dev", flag="old_search"))
        outcome = run(delete("dev", "staging", flag="old_search"))
        assert outcome.text == (
            "dev: old_search deleted; not set: default on\n"
            "staging: old_search was not set there; not set: default on"
        )
        assert outcome.data == {"dev": True, "staging": False}
        assert [(e.action, e.environment, e.before, e.after) for e in entries()[:-1]] == [
            ("flag.delete", "dev", Gates().to_json(), None)
        ]

    def test_a_flag_nobody_knows_is_not_found(self, run):
        with pytest.raises(NotFound):
            run(delete(flag="nothing_like_it"))

    def test_a_flag_that_lost_its_definition_can_be_deleted(self, run, services):
        with services.database.write() as connection:
            flags.put(connection, forgotten())
        assert run(delete(flag="forgotten")).data == {"production": True}
        with pytest.raises(NotFound):
            run(delete(flag="forgotten"))


class TestSnapshots:
    def test_hold_defined_and_set_flags_at_the_present_version(self, run, services, ada):
        def take(environment="production"):
            return services.ask(lambda unit: snapshot(unit, environment), ada)

        assert take().version == 0
        run(set_to(ON))
        run(set_to(OFF, flag="old_search"))
        run(set_to(ON, "dev"))
        taken = take()
        assert taken.version == 2
        assert {name: flag.gates for name, flag in taken.flags.items()} == {
            "new_navigation": Gates(boolean=True),
            "old_search": Gates(),
            "rename_integrations_workers": None,
        }
        assert taken.flags["old_search"].default is True
        assert take("dev").version == 1
        with pytest.raises(UsageError):
            take("nowhere")


def test_several_commands_are_one_unit_of_work(services, ada, entries):
    heard = []
    services.listen(heard.append)
    told = services.execute_all([set_to(ON), set_to(Actors(ids=("User:1",), value=True))], ada)
    assert [outcome.data["production"]["gates"]["actors"] for outcome in told] == [[], ["User:1"]]
    assert len(heard) == 1
    assert len(entries()) == 2


def test_one_impossible_command_undoes_those_before_it(services, ada, entries):
    heard = []
    services.listen(heard.append)
    with pytest.raises(NotFound):
        services.execute_all([set_to(ON), set_to(ON, flag="nowhere")], ada)
    told = services.execute_all([set_to(ON), get()], ada, dry_run=True)
    assert ["nothing was changed" in outcome.text for outcome in told] == [True, False]
    assert services.execute_all([], ada) == []
    assert (heard, entries()) == ([], [])
