import io
import json
import sys

import pytest

from flagstaff.cli.main import run
from flagstaff.commands.life_model import DeleteUndefined
from flagstaff.commands.model import DeleteFlag, GetFlag, ImportRollout, SetFlag, ShowRollout
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.remote import Server
from flagstaff.errors import Conflict, FlagstaffError, NotFound, Refused, Unavailable
from git_sandbox import GitSandbox


class FakePlane:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.answer = Outcome(text="done", next="flagstaff rollout list", data={"a": 1})

    def execute(self, command, *, dry_run=False):
        self.asked.append((command, dry_run))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def plane(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    fake = FakePlane()
    monkeypatch.setattr(Server, "find", lambda _url="": fake)
    return fake


def test_data_goes_to_stdout_and_talk_to_stderr(plane, capsys):
    assert run(["feature", "get", "x"]) == 0
    told = capsys.readouterr()
    assert told.out == "done\n"
    assert told.err == "next: flagstaff rollout list\n"
    assert plane.asked == [(GetFlag(flag="x", environments=("production",)), False)]


@pytest.mark.usefixtures("plane")
def test_programs_get_json(capsys):
    assert run(["feature", "get", "--json", "x"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["data"] == {"a": 1}
    assert told.err == ""


def test_a_dry_run_reaches_the_server_as_one(plane):
    run(["--dry-run", "feature", "set", "x", "true"])
    assert plane.asked[0][1] is True


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Outcome(ok=False, text="not yet"), 1),
        (NotFound("no"), 1),
        (Conflict("no"), 1),
        (Refused("no"), 1),
        (FlagstaffError("no"), 1),
        (Unavailable("no"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_end_has_its_exit_code(plane, answer, code):
    plane.answer = answer
    assert run(["rollout", "list"]) == code


def test_errors_for_programs_are_on_stdout(plane, capsys):
    plane.answer = NotFound("what", hint="how")
    assert run(["rollout", "list", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error == {"code": "not_found", "message": "what", "hint": "how"}


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["bogus"], "`flagstaff bogus` is no command", "there are: init"),
        (["rolout"], "`flagstaff rolout` is no command", "did you mean `rollout`?"),
        (["rollout", "aprove", "1"], "is no command", "did you mean `approve`?"),
        (["feature"], "`flagstaff feature` needs a subcommand", "there are: "),
        (["feature", "set"], "NAME is missing", "NAME VALUE"),
        (["feature", "set", "x", "25"], "25 percent of what?", "--actors"),
        (["feature", "set", "x", "25%", "--actors"], "percent sign", "25"),
        (["feature", "set", "x", "1e3", "--actors"], "exponent", "0 to 100"),
        (["feature", "set", "x", "101", "--actors"], "above 100", "0 to 100"),
        (["feature", "set", "x", "true", "--stagin"], "no option `--stagin`", "`--staging`"),
        (["rollout", "watch", "one"], "'one' is no number of a rollout", "rollout list"),
        (["rollout", "abort", "1"], "--reason is missing", "rollout abort"),
        (["run", "/chatops run featur get x"], "`featur` is no command", "`feature`"),
        (["run"], "LINE", "flagstaff run"),
        (["rollout", "import", "i.md", "--set", "x"], "not NAME=VALUE", "milestone=15.2"),
        (["rollout", "import", "i.md", "--choose", "x=y"], "neither LINE=WAY nor WAY", "36=random"),
        (["rollout", "import", "i.md", "--choose", "36="], "neither LINE=WAY nor WAY", "36=random"),
        (["rollout", "import", "nowhere.md"], "there is no file nowhere.md", "name the file"),
        (["--server"], "needs an address", "http://"),
        (["server", "--dry-run"], "cannot be a dry run", "leave"),
        (["server", "--port", "x"], "--port", "flagstaff server"),
    ],
)
def test_wrong_words_name_the_place_and_the_remedy(plane, capsys, words, what, remedy):
    assert run(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert what in told.err
    assert remedy in told.err.partition("\n")[2]
    assert plane.asked == []


@pytest.mark.parametrize("words", [["/chatops run feature set x 25 --actors"], None])
def test_a_whole_line_is_taken_with_and_without_quotes(plane, words):
    words = words or ["/chatops", "run", "feature", "set", "x", "25", "--actors"]
    assert run(["run", *words]) == 0
    assert isinstance(plane.asked[0][0], SetFlag)


def test_help_inside_a_line_is_help(plane, capsys):
    assert run(["run", "/chatops run feature get --help"]) == 0
    assert "Show the gates" in capsys.readouterr().out
    assert plane.asked == []


def test_numbers_of_rollouts_may_have_their_sign(plane):
    run(["rollout", "show", "#12"])
    assert plane.asked == [(ShowRollout(rollout=12), False)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("typed", "extra", "code"),
    [("y\n", [], 0), ("n\n", [], 1), ("\n", [], 1), (None, [], 2), (None, ["--yes"], 0)],
)
def test_deleting_in_production_needs_a_yes(plane, monkeypatch, typed, extra, code):
    monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
    assert run(["feature", "delete", "x", "--production", *extra]) == code
    assert [type(command) for command, _ in plane.asked] == ([] if code else [DeleteFlag])


SHOWN = {
    "dev": {"flags": ["a", "b"], "mark": "2-aa", "deleted": False},
    "staging": {"flags": [], "mark": "0-bb", "deleted": False},
    "production": {"flags": ["c"], "mark": "1-cc", "deleted": False},
}


@pytest.mark.parametrize(
    "given",
    [
        ("y\ny\n", [], ("dev", "production")),
        ("n\ny\n", [], ("production",)),
        (None, ["--yes"], ("dev", "production")),
        ("n\nn\n", [], None),
        (None, [], None),
    ],
)
def test_what_nobody_defines_is_asked_about_by_environment(plane, monkeypatch, capsys, given):
    typed, extra, chosen = given
    monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
    plane.answer = Outcome(text="dev: 2 flags\n  a: on\n  b: on", data=SHOWN)
    words = ["feature", "delete", "--undefined", "--dev", "--staging", "--production"]
    code = run([*words, "--reason", "r", *extra])
    told = capsys.readouterr().err
    assert "  b: on" in told
    look = DeleteUndefined(environments=("dev", "staging", "production"), reason="r")
    asked = [command for command, _ in plane.asked]
    if chosen is None:
        assert asked == [look]
        assert code == (1 if typed else 2)
        return
    marks = tuple(SHOWN[each]["mark"] for each in chosen)
    assert asked == [
        look,
        DeleteUndefined(environments=chosen, confirm=marks, reason="r"),
    ]
    assert code == 0
    assert ("of 1 flag in production?" in told) is bool(typed)


def test_where_nothing_is_undefined_nobody_is_asked(plane, capsys):
    plane.answer = Outcome(text="dev: none", data={"dev": {"flags": [], "mark": "0-a"}})
    assert run(["feature", "delete", "--undefined", "--dev"]) == 0
    assert capsys.readouterr().out == "dev: none\n"
    assert len(plane.asked) == 1


@pytest.mark.parametrize("extra", [["--dry-run"], ["--confirm", "2-aa"]])
def test_a_rehearsal_and_a_mark_are_sent_as_they_are(plane, extra):
    assert run(["feature", "delete", "--undefined", "--dev", *extra]) == 0
    assert len(plane.asked) == 1


@pytest.mark.parametrize("extra", [["--dev"], ["--production", "--dry-run"]])
def test_elsewhere_and_for_a_look_nobody_is_asked(plane, extra):
    assert run(["feature", "delete", "x", *extra]) == 0
    assert len(plane.asked) == 1


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "i.md is empty"),
        ("\ufeff \n".encode(), "i.md is empty"),
        (b"one\ntwo \xff", "i.md:2: byte 9 (0xff) is not UTF-8"),
        (b"x" * 1_000_001, "1,000,001 bytes"),
        (None, "i.md is a folder"),
    ],
)
def test_a_file_that_is_no_issue_is_not_sent(plane, capsys, tmp_path, data, what):
    path = tmp_path / "i.md"
    path.mkdir() if data is None else path.write_bytes(data)
    assert run(["rollout", "import", "i.md"]) == 2
    assert what in capsys.readouterr().err
    assert plane.asked == []


def test_an_issue_is_sent_with_its_place_and_answers(plane, tmp_path):
    (tmp_path / "i.md").write_text("# Title\n")
    words = ["rollout", "import", "i.md", "--set", "<milestone>=15.2", "--set", "a=b=c", "--start"]
    assert run(words) == 0
    answers = {"milestone": "15.2", "a": "b=c"}
    path = str(tmp_path / "i.md")
    expected = ImportRollout(text="# Title\n", path=path, placeholders=answers, start=True)
    assert plane.asked == [(expected, False)]
    run(["rollout", "import", "i.md", "--no-follow", "--choose", "36=--Random", "--choose", "user"])
    assert plane.asked[1][0].path == ""
    assert plane.asked[1][0].choices == {"36": "random", "user": "user"}


def test_a_commit_is_named_as_git_names_it(plane, capsys, tmp_path):
    first = GitSandbox(tmp_path).commit("First")
    assert run(["deployment", "record", "dev", "HEAD"]) == 0
    assert run(["auto_deploy", "status", "HEAD"]) == 0
    assert run(["auto_deploy", "status"]) == 0
    assert [each.sha for each, _ in plane.asked] == [first, first, ""]
    capsys.readouterr()
    assert run(["deployment", "record", "dev", "no-such-branch"]) == 2
    assert "git rev-parse no-such-branch" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(capsys, shell):
    assert run(["completion", shell]) == 0
    assert "_FLAGSTAFF_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["rollout", "--help"], ["rollout", "watch", "-h"]]
)
def test_help_is_no_error(capsys, words):
    assert run(words) == 0
    assert "Usage: flagstaff" in capsys.readouterr().out
