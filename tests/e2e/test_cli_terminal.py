"""A person at a terminal: a project of their own, a real server, every word that matters."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from git_sandbox import SURROUNDINGS, GitSandbox
from shown import shown

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60
SPEED = "86400"
FLAGS = ("new_navigation", "old_search", "dark_mode", "fast_checkout")
DEFINITION = "name: {}\ntype: ops\ngroup: group::shop\nmilestone: '15.2'\ndefault_enabled: false\n"
ISSUE = """\
# [Feature flag] Rollout of `{flag}`

## Rollout on non-production environments

- [ ] Check with support that nobody minds.
- [ ] `/chatops run auto_deploy status <merge-commit-of-your-feature>`
- [ ] `/chatops run feature set {flag} true --dev --staging`

## Global rollout on production

- [ ] `/chatops run feature set {flag} <rollout-percentage> --actors`
- [ ] `/chatops run feature set {flag} true`
- [ ] Verify that the feature works as expected.

## Release

- [ ] `/chatops run feature delete {flag} --dev --staging --production`
- [ ] Close this rollout issue.
"""


class Terminal:
    """`flagstaff …` in a folder."""

    def __init__(self, root):
        self.root = root
        self.servers = []

    def run(self, *words, folder=None, given=None, **environment):
        done = subprocess.run(
            self.words(words),
            cwd=folder or self.root,
            env={**clean_environment(), **environment},
            input=given,
            capture_output=True,
            text=not isinstance(given, bytes),
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def done(self, *words, **options):
        code, out, err = self.run(*words, **options)
        assert code == 0, f"{words}: {code}\n{out}{err}"
        return out

    def data(self, *words):
        return json.loads(self.done(*words, "--json"))["data"]

    def begin(self, *words, **options):
        return subprocess.Popen(
            self.words(words), cwd=self.root, env=clean_environment(), text=True, **options
        )

    def words(self, words):
        return [sys.executable, "-m", "flagstaff", *words]

    def serve(self, *words):
        """Start a server and return it with its address."""
        server = self.begin(
            *("server", "--port", "0", "--speed", SPEED, "--json", *words), stdout=subprocess.PIPE
        )
        self.servers.append(server)
        return server, json.loads(server.stdout.readline())["url"]

    def rows(self):
        """Count what the database holds."""
        with closing(sqlite3.connect(self.root / ".flagstaff" / "state.db")) as database:
            found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = [name for (name,) in found]
            assert {"rollout", "audit", "flag_state"} <= set(tables)
            return {
                name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
                for name in tables
            }

    def until(self, number, phase, step=""):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = shown(self.root, int(number))
            if found["phase"] == phase and step in (found["step"] or ""):
                return found
            time.sleep(0.1)
        raise AssertionError(f"not {phase} after {PATIENCE} s: {found}")

    def close(self):
        for server in self.servers:
            if server.poll() is None:
                server.terminate()
            try:
                server.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.communicate()


def clean_environment():
    ours = {name: value for name, value in os.environ.items() if "FLAGSTAFF" not in name}
    return {**ours, **SURROUNDINGS, "FLAGSTAFF_PERSON": "ada"}


def make_project(root):
    terminal = Terminal(root)
    git = GitSandbox(root)
    terminal.done("init")
    files = {f"config__feature_flags__ops__{name}.yml": DEFINITION.format(name) for name in FLAGS}
    terminal.sha = git.commit("Define the flags", **files)
    for flag in FLAGS:
        (root / f"{flag}.md").write_text(ISSUE.format(flag=flag))
    return terminal


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    made = make_project(tmp_path_factory.mktemp("shop"))
    try:
        _, made.url = made.serve()
        for environment in ("dev", "staging", "production"):
            made.done("deployment", "record", environment, made.sha)
        yield made
    finally:
        made.close()
    assert all(server.poll() is not None for server in made.servers)


def test_a_dry_run_shows_what_every_line_means_and_writes_nothing(terminal):
    before = terminal.rows()
    looked = terminal.done("rollout", "import", "old_search.md", "--dry-run")
    assert "nothing was changed" in looked
    assert "5: approval — Check with support" in looked
    assert terminal.rows() == before


def test_a_rollout_from_its_issue_to_its_end(terminal):
    number = str(terminal.data("rollout", "import", "new_navigation.md")["rollout"])
    code, out, _ = terminal.run("rollout", "watch", number, "--exit-when-waiting")
    assert (code, "is pending" in out) == (4, True)
    terminal.done("rollout", "start", number)
    code, out, err = terminal.run("rollout", "watch", number, "--exit-when-waiting")
    assert code == 4
    assert f"next: flagstaff rollout approve {number}" in err
    assert "new_navigation" in terminal.done("rollout", "list", "--active")
    terminal.done("rollout", "pause", number, "--reason", "lunch")
    assert terminal.data("rollout", "show", number)["phase"] == "paused"
    code, _, err = terminal.run("rollout", "reject", number)
    assert (code, "--reason is missing" in err) == (2, True)
    terminal.done("rollout", "resume", number)
    terminal.done("rollout", "approve", number, "--reason", "asked them")
    code, out, err = terminal.run("rollout", "watch", number, "--exit-when-waiting")
    assert code == 4, out + err
    waiting = terminal.data("rollout", "show", number)
    assert waiting["step"].startswith("verify"), waiting["step"]
    watching = terminal.begin("rollout", "watch", number, stdout=subprocess.PIPE)
    terminal.done("rollout", "approve", number)
    told, _ = watching.communicate(timeout=PATIENCE)
    assert watching.returncode == 0
    assert f"rollout {number} of new_navigation is completed" in told
    issue = (terminal.root / "new_navigation.md").read_text()
    assert "- [ ]" not in issue
    assert "asked them" in issue


def test_a_rollout_that_is_aborted_ends_its_watching_with_1(terminal):
    number = str(terminal.data("rollout", "import", "dark_mode.md", "--start")["rollout"])
    terminal.until(number, "waiting")
    code, _, err = terminal.run("rollout", "promote", number, "--reason", "now")
    assert (code, "not in a wait" in err) == (1, True)
    terminal.done("rollout", "skip", number, "--reason", "no support today")
    terminal.done("rollout", "abort", number, "--reason", "second thoughts")
    code, out, _ = terminal.run("rollout", "watch", number)
    assert code == 1
    assert "rolled back" in out
    code, _, err = terminal.run("rollout", "retry", number)
    assert (code, "rolled back" in err) == (1, True)


def test_flags_are_set_shown_and_deleted(terminal):
    run = terminal.done
    run("feature", "set", "old_search", "true", "--staging")
    assert run("feature", "set", "old_search", "25", "--actors", "--dry-run")
    assert "not set" in run("feature", "get", "old_search")
    assert "25 % of actors" in run("feature", "set", "old_search", "25", "--actors")
    run("feature", "set", "old_search", "true", "--project=a/b,c/d", "--user", "ada", "--pre")
    assert "Project:c/d and User:ada" in run("feature", "get", "old_search", "--pre")
    run("feature", "set", "old_search", "true", "--feature-group=team", "--dev", "--ops")
    assert "team" in run("flag", "list", "--match", "old_s", "--dev", "--ops")
    line = "/chatops run feature set old_search 50 --random --ops"
    run("run", f"{line} --ignore-random-deprecation-check --reason jobs")
    assert "50 %" in run("run", "feature", "get", "old_search", "--ops")
    code, _, err = terminal.run("feature", "delete", "old_search")
    assert (code, "--yes" in err) == (2, True)
    run("feature", "delete", "old_search", "--yes", "--dev", "--staging", "--production")
    assert terminal.data("feature", "get", "old_search")["production"]["set"] is False


def test_deployments_and_releases_are_asked_about(terminal):
    where = "is deployed to dev, production, staging"
    assert where in terminal.done("auto_deploy", "status", terminal.sha[:9])
    assert "production: " in terminal.done("auto_deploy", "status")
    code, out, _ = terminal.run("release", "check", "main", "15.2")
    assert code == 1
    assert "15.2 has not been cut" in out


BAD_LINES = {
    "unknown command": ("featur set old_search true", "`featur` is no command", "`feature`"),
    "placeholder": ("feature set old_search true --user=<tester>", "<tester>", "--set"),
    "undefined flag": ("feature set nobody true --dev", "no flag `nobody`", "define it"),
    "unknown commit": ("auto_deploy status abcdef123456", "no commit abcdef123456", "fetch"),
    "percent sign": ("feature set old_search 25% --actors", "percent sign", "25"),
    "exponent": ("feature set old_search 1e3 --actors", "exponent", "0 to 100"),
    "too much": ("feature set old_search 101 --actors", "above 100", "0 to 100"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_of_an_issue_is_named_and_nothing_is_started(terminal, name):
    line, what, remedy = BAD_LINES[name]
    path = terminal.root / f"{name.replace(' ', '-')}.md"
    good = "- [ ] `/chatops run feature set old_search true --dev`\n"
    text = f"# Rollout of `old_search`\n\n- [ ] `/chatops run {line}`\n{good}"
    path.write_text(text)
    before = terminal.rows()
    code, out, err = terminal.run("rollout", "import", path.name, "--start")
    assert (code, out) == (2, "")
    assert f"{path.name}:3: " in err
    assert what in err
    assert remedy in err.partition(what)[2]
    assert terminal.rows() == before
    assert path.read_text() == text


def test_a_command_of_another_bot_is_left_to_a_person(terminal):
    path = terminal.root / "foreign.md"
    good = "- [ ] `/chatops run feature set old_search true --dev`\n"
    path.write_text(f"# Rollout of `old_search`\n\n- [ ] `/chatops run pipeline bake 3`\n{good}")
    code, out, _ = terminal.run("rollout", "import", path.name, "--dry-run")
    assert code == 0
    (line,) = [each for each in out.splitlines() if each.startswith("3: ")]
    assert "person" in line


@pytest.mark.parametrize("value", ["25%", "1e3", "101", "-1", "0.0001"])
def test_a_bad_percentage_changes_nothing(terminal, value):
    before = terminal.rows()
    code, _, err = terminal.run("feature", "set", "old_search", value, "--actors")
    assert code == 2
    assert value in err
    assert terminal.rows() == before


@pytest.mark.parametrize(
    ("data", "code", "what"),
    [
        (b"", 2, "standard input is empty"),
        (b"# A\n\xff\n", 2, "standard input:2: byte 5 (0xff) is not UTF-8"),
        (b"just prose\n", 2, "names no flag"),
    ],
)
def test_what_is_no_issue_starts_nothing(terminal, data, code, what):
    before = terminal.rows()
    found, _, err = terminal.run("rollout", "import", "-", "--start", given=data)
    assert (found, what in err.decode()) == (code, True), err
    assert terminal.rows() == before


def test_a_second_rollout_of_a_flag_is_refused(terminal):
    number = terminal.data("rollout", "import", "fast_checkout.md")["rollout"]
    before = terminal.rows()
    code, _, err = terminal.run("rollout", "import", "fast_checkout.md", "--start")
    assert code == 1
    assert f"rollout {number} of fast_checkout is pending" in err
    assert f"flagstaff rollout abort {number}" in err
    assert terminal.rows() == before
    terminal.done("rollout", "abort", str(number), "--reason", "tidy up")


def test_a_second_server_of_a_project_is_refused_and_the_first_still_found(terminal):
    for words in ([], ["--database", f"sqlite:///{terminal.root / 'other.db'}"]):
        code, _, err = terminal.run("server", *words)
        assert code == 1
        assert f"is served at {terminal.url} already" in err
    terminal.done("rollout", "list")


def test_broken_definitions_keep_the_last_good_ones(terminal):
    path = terminal.root / "config/feature_flags/ops/old_search.yml"
    good = path.read_text()
    try:
        path.write_text("name: old_search\ntype: opps\n")
        time.sleep(0.7)  # the server looks at the files every half second
        assert "old_search" in terminal.done("feature", "get", "old_search", "--dev")
        code, out, _ = terminal.run("lint")
        assert code == 1
        assert "config/feature_flags/ops/old_search.yml:2: " in out
    finally:
        path.write_text(good)


def test_a_wrong_folder_address_or_token_says_what_to_do(terminal, tmp_path):
    code, _, err = terminal.run("rollout", "list", folder=tmp_path)
    assert (code, "flagstaff server" in err) == (3, True)
    code, _, err = terminal.run("rollout", "list", "--server", "http://127.0.0.1:1")
    assert (code, "connection refused" in err) == (3, True)
    wrong = tmp_path / "token"
    wrong.write_text("wrong")
    named = {"FLAGSTAFF_URL": terminal.url, "FLAGSTAFF_TOKEN_FILE": str(wrong)}
    code, _, err = terminal.run("rollout", "list", folder=tmp_path, **named)
    assert (code, "the token is wrong" in err, "FLAGSTAFF_TOKEN_FILE" in err) == (1, True, True)
    named["FLAGSTAFF_TOKEN_FILE"] = str(tmp_path)
    code, _, err = terminal.run("rollout", "list", folder=tmp_path, **named)
    assert (code, "is a directory" in err) == (2, True)
    named["FLAGSTAFF_TOKEN_FILE"] = str(terminal.root / ".flagstaff" / "token")
    terminal.done("rollout", "list", folder=tmp_path, **named)


def test_a_reader_may_leave(terminal):
    reading, writing = os.pipe()
    os.close(reading)
    shown = terminal.begin("feature", "list", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, err = shown.communicate(timeout=PATIENCE)
    assert (shown.returncode, err) == (0, "")


@pytest.fixture
def ctrl_c():
    """Let what is begun hear of it: a shell has what it runs in the background pass over it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_watching_survives_its_server_and_ctrl_c_ends_both(tmp_path):
    terminal = make_project(tmp_path)
    try:
        server, _ = terminal.serve()
        number = str(terminal.data("rollout", "import", "dark_mode.md", "--start")["rollout"])
        terminal.until(number, "waiting")
        watching = terminal.begin(
            "rollout", "watch", number, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert "Check with support" in watching.stdout.readline()
        assert "next: " in watching.stderr.readline()
        server.kill()
        assert "waiting until it is back" in watching.stderr.readline()
        server, _ = terminal.serve()
        assert "answers again" in watching.stderr.readline()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=PATIENCE)
        assert watching.returncode == 130
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=PATIENCE)
        assert server.returncode == 0
        assert not (tmp_path / ".flagstaff" / "server.json").exists()
    finally:
        terminal.close()


def on_terminal(terminal, *words, **environment):
    """Return what a command writes to a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    shown = subprocess.Popen(
        terminal.words(words),
        cwd=terminal.root,
        env={**clean_environment(), "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    with closing(os.fdopen(ours, "rb", buffering=0)) as reading:
        try:
            while data := reading.read(4096):
                written += data
        except OSError:  # the other end is closed
            pass
    return written.decode(), shown.wait(PATIENCE)


def test_a_terminal_gets_a_picture_and_colours_unless_nobody_wants_them(terminal):
    number = str(terminal.data("rollout", "import", "fast_checkout.md")["rollout"])
    try:
        watch = ("rollout", "watch", number, "--exit-when-waiting")
        written, code = on_terminal(terminal, *watch)
        assert code == 4
        assert "0 of " in written
        assert "\x1b[" in written
        written, code = on_terminal(terminal, *watch, NO_COLOR="1")
        assert "\x1b[34m" not in written
        written, code = on_terminal(terminal, "rollout", "show", "999", NO_COLOR="1")
        assert (code, "\x1b[" in written) == (1, False)
        assert "\x1b[31merror:" in on_terminal(terminal, "rollout", "show", "999")[0]
    finally:
        terminal.done("rollout", "abort", number, "--reason", "tidy up")
