"""Is what was done found again, verified, carried out and taken back?"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from fakes import plan_of, share, turn_on
from flagstaff.commands.codec import decode_command, encode_command
from flagstaff.commands.model import (
    DeleteFlag,
    ExportAudit,
    GetFlag,
    ListAudit,
    PauseRollout,
    SetFlag,
    StartRollout,
    UndoEntry,
    VerifyAudit,
)
from flagstaff.commands.remote import encoded
from flagstaff.definitions import Policies
from flagstaff.errors import Conflict, NotFound, Refused, UsageError
from flagstaff.flags.change import Actors, Boolean
from flagstaff.services import flags
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.policies import judging

ON, OFF = Boolean(value=True), Boolean(value=False)
FLAG = "new_navigation"
PAGE = Path(__file__).parents[3] / "docs/reference/audit.md"
BOB = Person(name="bob", source=Source.WEB, roles=ADMIN_EVERYWHERE)


@pytest.fixture
def run(services, ada):
    return lambda command, by=ada, **how: services.execute(command, by, **how)


@pytest.fixture
def change(run):
    def change(change, environment="dev", flag=FLAG, by=None, **more):
        command = SetFlag(flag=flag, environments=(environment,), change=change, **more)
        return run(command, by) if by else run(command)

    return change


@pytest.fixture
def words(run):
    def words(environment="dev", flag=FLAG):
        return run(GetFlag(flag=flag, environments=(environment,))).data[environment]["words"]

    return words


class TestList:
    def test_says_who_did_what_where_and_why(self, run, change):
        change(ON, reason="tried\nit")
        outcome = run(ListAudit())
        assert outcome.text == (
            "1  2026-03-02 09:00:00  ada (terminal)  flag.set  "
            "new_navigation set to true in dev; “tried it”"
        )
        [entry] = outcome.data["entries"]
        assert entry["after"]["boolean"] is True
        assert outcome.next == ""

    def test_finds_what_is_asked_for(self, run, change, clock):
        change(ON)
        clock.advance(days=1)
        change(share(5), "production", flag="old_search", by=BOB)
        clock.advance(hours=1)

        def found(**search):
            return [each["id"] for each in run(ListAudit(**search)).data["entries"]]

        assert found() == [2, 1]
        assert found(person="bob") == [2]
        assert found(flag="new_navigation") == [1]
        assert found(environment="production") == [2]
        assert found(since="2h") == [2]
        assert found(since="2026-03-03") == [2]
        assert found(until="2026-03-03T00:00+00:00") == [1]
        assert found(action="flag") == [2, 1]
        assert found(action="rollout") == []
        assert found(before=2) == [1]
        assert found(limit=1) == [2]
        assert run(ListAudit(limit=1)).next == "flagstaff audit list --before 2"
        assert run(ListAudit(person="eve")).text == "nothing like that was done"

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (ListAudit(since="yesterday"), "no time"),
            (ListAudit(limit=0), "the limit is"),
            (ListAudit(rollout=2**40), "no number of a rollout"),
            (ExportAudit(form="xml"), "no format"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, run, command, words):
        with pytest.raises(UsageError, match=words):
            run(command)


class TestExport:
    def test_lines_can_be_verified_by_anybody(self, run, change, monkeypatch):
        change(ON, reason="„Umlaute“")
        change(OFF)
        lines = [json.loads(line) for line in run(ExportAudit()).text.splitlines()]
        assert [each["id"] for each in lines] == [1, 2]
        [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        monkeypatch.setattr("sys.stdin", io.StringIO(run(ExportAudit()).text))
        told = {}
        exec(program, told)  # noqa: S102 it is our own documentation's
        assert run(VerifyAudit()).data["head"] == told["previous"] == lines[1]["hash"]
        monkeypatch.setattr("sys.stdin", io.StringIO(run(ExportAudit()).text.replace("ada", "eve")))
        with pytest.raises(AssertionError):
            exec(program, {})  # noqa: S102 as above

    def test_a_table_is_safe_for_spreadsheets(self, run, change):
        change(ON, reason='=HYPERLINK("http://x")\nsecond')
        rows = list(csv.DictReader(io.StringIO(run(ExportAudit(form="csv")).text)))
        assert rows[0]["reason"] == '\'=HYPERLINK("http://x") second'
        assert json.loads(rows[0]["after"])["boolean"] is True
        assert rows[0]["before"] == ""

    def test_nothing_is_an_empty_text(self, run):
        assert run(ExportAudit()).text == ""


class TestVerify:
    def test_all_is_well(self, run, change):
        assert run(VerifyAudit()).text == "all 0 entries are as they were written"
        change(ON)
        outcome = run(VerifyAudit())
        assert outcome.ok
        assert outcome.text.startswith("all 1 entries are as they were written\nthe last hash is ")

    def test_the_first_broken_entry_is_named(self, run, change, services):
        for _ in range(3):
            change(ON)
        with services.database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("DROP TRIGGER audit_only_grows ON audit"))
            else:
                connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("UPDATE audit SET who = 'eve' WHERE id >= 2"))
        outcome = run(VerifyAudit())
        assert not outcome.ok
        assert outcome.text == (
            "entry 2 is broken: it is not as it was written\n1 entries before it are in order"
        )
        assert outcome.data["broken"] == 2


class TestUndo:
    def test_puts_the_gates_back(self, run, change, words):
        change(Actors(ids=("User:1",), value=True))
        change(ON)
        outcome = run(UndoEntry(entry=2, reason="the wrong place"))
        assert outcome.text == (
            "entry 2 of new_navigation undone: new_navigation set to true in dev\n"
            "dev: on for User:1"
        )
        assert words() == "on for User:1"
        assert "“the wrong place”" in run(ListAudit(action="flag.undo")).text

    def test_of_the_first_change_leaves_the_default(self, run, change, words):
        change(ON, flag="old_search")
        run(UndoEntry(entry=1))
        assert words(flag="old_search") == "not set: default on"

    def test_of_a_deletion_and_of_an_undo(self, run, change, words):
        change(share(5))
        run(DeleteFlag(flag=FLAG, environments=("dev",)))
        run(UndoEntry(entry=2))
        assert words() == "on for 5 % of actors"
        run(UndoEntry(entry=3))
        assert words().startswith("not set")

    def test_not_when_somebody_has_changed_them_since(self, run, change, words):
        change(ON)
        change(share(5), by=BOB)
        change(ON, "staging")
        with pytest.raises(Conflict) as caught:
            run(UndoEntry(entry=1))
        assert caught.value.message == (
            "new_navigation in dev has changed since entry 1:\n"
            "entry 2, bob: new_navigation set to 5 --actors in dev"
        )
        assert caught.value.hint == "undo the last one first: flagstaff audit undo 2"
        assert words() == "on for 5 % of actors"
        run(UndoEntry(entry=2))
        run(UndoEntry(entry=1))
        assert words().startswith("not set")

    def test_only_of_what_changed_gates(self, run, added):
        number = added(plan_of(turn_on("dev")), begin=False)
        run(StartRollout(rollout=number))
        with pytest.raises(Conflict, match="changed no gates"):
            run(UndoEntry(entry=1))
        with pytest.raises(NotFound, match="no entry 99"):
            run(UndoEntry(entry=99))

    def test_tells_of_a_rollout_that_will_go_on(self, run, change, added):
        change(ON)
        number = added(plan_of(turn_on("dev")))
        run(PauseRollout(rollout=number))
        assert f"rollout {number} is paused" in run(UndoEntry(entry=1)).text

    def test_a_dry_run_changes_nothing(self, run, change, words):
        change(ON)
        assert "nothing was changed" in run(UndoEntry(entry=1), dry_run=True).text
        assert words() == "on for everyone"
        assert run(VerifyAudit()).data["entries"] == 1


class TestPolicies:
    @pytest.fixture
    def policies(self):
        return Policies()

    def test_an_undo_obeys_them_and_overrides_are_recorded(self, run, change, words):
        change(ON, "staging")
        change(ON, "production")
        with pytest.raises(Refused, match="on in production"):
            run(UndoEntry(entry=1))
        override = "ignore-feature-flag-consistency-check"
        run(UndoEntry(entry=1, overrides=(override, "max-step"), reason="staging is gone"))
        assert words("staging").startswith("not set")
        last = run(ListAudit(limit=1))
        assert last.data["entries"][0]["override"] == override
        assert last.text.endswith(f"“staging is gone”; overruled {override}")


@pytest.mark.parametrize(
    "command",
    [ListAudit(flag="x", since="2d"), ExportAudit(form="csv"), VerifyAudit(), UndoEntry(entry=3)],
)
def test_commands_travel(command):
    assert decode_command(json.loads(json.dumps(encode_command(command)))) == command
    assert decode_command(json.loads(json.dumps(encoded(command)))) == command


def test_people_at_the_same_time_never_wait_for_each_other_forever(services, run):
    errors = []

    def work(number):
        by = Person(name=f"p{number}", source=Source.API, roles=ADMIN_EVERYWHERE)
        where = ("dev", "staging", "production")[:: 1 if number % 2 else -1]
        try:
            for turn in range(6):
                command = SetFlag(
                    flag=("new_navigation", "old_search")[turn % 2],
                    environments=where[turn % 3 :],
                    change=share(turn + 1),
                )
                services.execute(command, by)
                with services.unit(by, write=True) as unit:
                    unit.record("test.note", text="first the log, then the flags")
                    judging.lock(unit, where[:1])
                    flags.change_gates(
                        unit,
                        flags.Place(flag="old_search", environment=where[0]),
                        share(turn + 10),
                    )
        except Exception as exc:  # noqa: BLE001 - told to the test
            errors.append(exc)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    verified = run(VerifyAudit())
    assert verified.ok, verified.text
    assert verified.data["entries"] == 6 * (2 * (3 + 2 + 1) + 6 * 2)
