import json
from decimal import Decimal
from typing import get_args

import pytest

from flagstaff.commands import remote
from flagstaff.commands.codec import decode_command, encode_command
from flagstaff.commands.grammar import parse_line
from flagstaff.commands.model import Command, CreateRollout, ImportFlags, ImportRollout, SetFlag
from flagstaff.commands.plan_model import EditRollout, PlanRollout, ShowPlan
from flagstaff.commands.remote import Server, encoded
from flagstaff.errors import (
    Conflict,
    DefinitionError,
    FlagstaffError,
    ImportProblems,
    NotFound,
    Refused,
    Unavailable,
    UsageError,
)
from flagstaff.flags.change import PercentageOfActors

LINES = [
    "feature set x 12.5 --actors",
    "feature set x 1 --random --dev --reason why",
    "feature set x true --project=a/b,c/d --user ada",
    "feature set x false --feature-group=team --staging",
    "feature set x true --production",
    "feature get x",
    "feature list --match x",
    "feature get x --all",
    "feature delete x --dev",
    "feature delete --undefined --environment qa --confirm 2-0a1b2c3d --reason r",
    "feature stale --reason fully_on --type ops --owner navigation --fail",
    "feature due x 2026-04-01 --reason r",
    "auto_deploy status abcdef1",
    "release check !7 15.2",
    "deployment record production abcdef1",
    "rollout list --active",
    "rollout show 3",
    "rollout evidence 3 --guard 5xx --since 2h",
    "rollout start 3",
    "rollout approve 3 --step s --reason r",
    "rollout reject 3 --reason r",
    "rollout skip 3 --step s --reason r",
    "rollout promote 3 --reason r",
    "rollout pause 3",
    "rollout resume 3",
    "rollout retry 3",
    "rollout abort 3 --reason r",
    "audit list --flag x --since 2d --limit 3",
    "audit export --format csv",
    "oncall",
    "oncall support",
    "lock",
    "lock production --reason upgrade --for 2h",
    "unlock production",
    "incident open 'checkout is down'",
    "incident close --reason over",
    "audit verify",
    "audit undo 7 --override change-lock --reason r",
    "person add ada --role viewer --role operator@staging --email ada@example.com",
    "person roles ada --role admin",
    "person invite ada",
    "person remove ada --reason r",
    "person list",
    "person link 7Qx --for bob",
    "person link-forge dana --forge gitlab --for bob",
    "person unlink",
    "token create shop --machine --role application@production --expires 90d",
    "token revoke 3f9a0c12b7de --reason r",
    "token list",
    "workers defer shop.notify --percentage 30 --staging --reason r --override change-lock",
    "workers run Integrations::ExecuteWorker",
    "workers list",
]


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    for name in ("FLAGSTAFF_URL", "FLAGSTAFF_TOKEN_FILE", "FLAGSTAFF_PERSON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / ".flagstaff"
    folder.mkdir()
    (folder / "server.json").write_text('{"url": "http://127.0.0.1:9", "pid": 1}')
    (folder / "token").write_text("secret\n")
    return folder


def test_commands_are_sent_as_the_codec_writes_them():
    imported = ImportRollout(text="t", path="/p", placeholders={"a": "b"}, start=True)
    gates = {"dev": {"x": {"boolean": True}}}
    moved = ImportFlags(gates=gates, origin="unleash", overrides=("max-step",), reason="r")
    made = CreateRollout(flag="x", template="t", placeholders={"owner": "dana"}, start=True)
    planned = PlanRollout(flag="x", template="quick", parameters={"a": "b"}, start=True)
    edited = EditRollout(rollout=3, plan="flag: x", reason="r", tag="t")
    plans = [planned, ShowPlan(rollout=3), edited]
    commands = [*map(parse_line, LINES), imported, moved, made, *plans]
    assert {type(each) for each in commands} == set(get_args(Command))
    for command in commands:
        sent = json.loads(json.dumps(encoded(command)))
        assert sent == json.loads(json.dumps(encode_command(command)))
        assert decode_command(sent) == command


def test_no_digit_of_a_percentage_is_lost():
    change = PercentageOfActors(value=Decimal("0.010"))
    sent = encoded(SetFlag(flag="x", environments=("dev",), change=change))
    assert sent["change"] == {"kind": "PercentageOfActors", "value": "0.010"}


def test_a_folder_without_a_server_says_how_to_start_one():
    with pytest.raises(Unavailable, match="no Flagstaff server is known") as caught:
        Server.find()
    assert "flagstaff server" in caught.value.hint


@pytest.mark.usefixtures("state")
def test_the_server_of_a_project_is_found_from_every_folder_in_it(tmp_path, monkeypatch):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Server.find() == Server(url="http://127.0.0.1:9", token="secret")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3"])
def test_a_broken_note_of_the_server_counts_as_none(state, text):
    (state / "server.json").write_text(text)
    with pytest.raises(Unavailable):
        Server.find()


@pytest.mark.usefixtures("state")
def test_the_tokens_of_a_project_never_leave_this_machine():
    assert Server.find("http://flags.example.com").token == ""
    assert Server.find("http://localhost:80").token == "secret"
    assert Server.find("http://[::1]:80/").token == "secret"


@pytest.mark.usefixtures("state")
def test_a_named_token_file_counts_everywhere(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text(" other \n")
    monkeypatch.setenv("FLAGSTAFF_TOKEN_FILE", str(tmp_path / "mine"))
    assert Server.find("https://flags.example.com").token == "other"


@pytest.mark.parametrize("what", ["missing", "folder", "binary", "two lines"])
def test_a_token_file_that_holds_none_is_named(tmp_path, monkeypatch, what):
    path = tmp_path / "token"
    match what:
        case "folder":
            path.mkdir()
        case "binary":
            path.write_bytes(b"\xff\xfe")
        case "two lines":
            path.write_text("a\nb")
    monkeypatch.setenv("FLAGSTAFF_TOKEN_FILE", str(path))
    with pytest.raises(UsageError, match=r"the token file .*token cannot be read: \w") as caught:
        Server.find("http://127.0.0.1:9")
    assert "FLAGSTAFF_TOKEN_FILE" in caught.value.hint


def test_a_token_of_the_project_that_cannot_be_read_is_refused(state):
    (state / "token").unlink()
    (state / "token").mkdir()
    with pytest.raises(Refused, match="cannot be read: is a directory"):
        Server.find()


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "ftp://a",
        "http://",
        "http://a:b",
        "http://a:99999",
        "http://a?x",
        "http://a b",
        "h:0",
    ],
)
def test_what_is_no_address_is_said_before_anything_is_sent(url):
    with pytest.raises(UsageError, match="no address of a server") as caught:
        Server.find(url)
    assert caught.value.hint == "write http://HOST:PORT"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "usage", UsageError),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (403, "refused", Refused),
        (503, "unavailable", Unavailable),
        (401, "unauthorized", Refused),
        (413, "too_large", UsageError),
        (500, "fault", FlagstaffError),
        (500, "from the future", FlagstaffError),
    ],
)
def test_a_problem_document_becomes_the_error_it_was(status, code, kind):
    error = remote._error(status, {"code": code, "detail": "what", "hint": "how"})
    assert type(error) is kind
    assert "what" in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("code", "kind"), [("import_problems", ImportProblems), ("definition", DefinitionError)]
)
def test_every_problem_of_a_file_arrives(code, kind):
    problems = [{"file": "i.md", "line": 3, "what": "is wrong", "remedy": "mend it"}] * 2
    body = {"code": code, "detail": "d", "hint": "h", "problems": problems}
    error = remote._error(422, body)
    assert type(error) is kind
    assert [str(each) for each in error.problems] == ["i.md:3: is wrong; mend it"] * 2


def test_names_with_other_letters_fit_into_a_header(monkeypatch):
    monkeypatch.setenv("FLAGSTAFF_PERSON", "Zoë 漢\r\nX: y")
    headers = Server(url="http://a", token="t")._headers()
    assert headers["X-Flagstaff-Person"] == "Zo%C3%AB %E6%BC%A2%0D%0AX%3A y"


def test_who_has_no_name_is_a_number(monkeypatch):
    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr(remote.getpass, "getuser", nobody)
    assert remote._myself().startswith("user ")
