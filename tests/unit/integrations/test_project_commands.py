"""Is a command of the project run as it is declared, and stopped when it does not end?"""

from __future__ import annotations

import os
import sys
import time

import pytest

from fakes import plan_of
from flagstaff.definitions import Project, ProjectCommand, parse_duration
from flagstaff.errors import NotFound
from flagstaff.integrations.commands import Commands
from flagstaff.integrations.process import KEPT
from flagstaff.integrations.world import World
from flagstaff.rollouts.checks import CheckCommand
from flagstaff.rollouts.effect import InvokeCommand
from flagstaff.rollouts.event import EffectDone, EffectFailed

KEY = "7/s1/0"


def declared(*words, **fields):
    return Project(commands={"it": ProjectCommand(run=words, **fields)})


def python(code, **fields):
    return declared(sys.executable, "-c", code, **fields)


def ran(tmp_path, project):
    return Commands(tmp_path, project).run("it", key=KEY, flag="new_navigation")


def test_it_finds_what_it_is_about_and_none_of_the_servers_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    monkeypatch.setenv("DEPLOY_TOKEN", "given")
    code = "import os; print(dict(os.environ))"
    said = ran(tmp_path, python(code, environment=("DEPLOY_TOKEN", "NOT_SET"))).output
    assert "'FLAGSTAFF_KEY': '7/s1/0'" in said
    assert "'FLAGSTAFF_FLAG': 'new_navigation'" in said
    assert ("'FLAGSTAFF_ROLLOUT': '7'" in said, "'FLAGSTAFF_STEP': 's1'" in said) == (True, True)
    assert "'DEPLOY_TOKEN': 'given'" in said
    assert "hunter2" not in said


def test_it_runs_in_its_folder_without_a_shell(tmp_path):
    (tmp_path / "tools").mkdir()
    code = "import os, sys; print(os.getcwd(), sys.argv[1])"
    project = declared(sys.executable, "-c", code, "$HOME; ls", folder="tools")
    assert ran(tmp_path, project).output == f"{tmp_path / 'tools'} $HOME; ls"


def test_both_outputs_are_kept_and_of_much_the_end(tmp_path):
    code = "import sys; print('x' * 100_000); print('the end', file=sys.stderr); sys.exit(3)"
    ended = ran(tmp_path, python(code))
    assert (ended.code, len(ended.output) <= KEPT) == (3, True)
    assert ended.output.endswith("the end")


def test_what_is_no_text_is_kept_as_well_as_can_be(tmp_path):
    ended = ran(tmp_path, python("import sys; sys.stdout.buffer.write(b'\\xff ok')"))
    assert ended.output == "\ufffd ok"


def test_it_is_stopped_with_all_it_has_started(tmp_path):
    # A shell is there at once, where a busy machine needs seconds to start two Pythons.
    project = declared("sh", "-c", "sleep 600 & echo $!; wait", timeout=parse_duration("3s"))
    began = time.monotonic()
    ended = ran(tmp_path, project)
    assert (ended.code, ended.why) == (None, "it took longer than 3 s")
    assert time.monotonic() - began < 120
    child = int(ended.output)
    for _ in range(6000):
        if not _runs(child):
            break
        time.sleep(0.01)
    assert not _runs(child)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(os.name != "posix", reason="names of programs are the system's own")
def test_a_program_that_there_is_not_is_a_no_in_words(tmp_path):
    ended = ran(tmp_path, declared("no-such-program"))
    assert ended.code is None
    assert ended.why == "no-such-program cannot be run: No such file or directory"


def test_only_what_is_declared_is_run(tmp_path):
    with pytest.raises(NotFound, match="no command 'rm -rf /'"):
        Commands(tmp_path, python("")).run("rm -rf /", key=KEY, flag="f")


def test_the_world_takes_0_for_a_yes(tmp_path):
    for code, yes in ((0, True), (1, False)):
        world = World(tmp_path, python(f"print('said'); raise SystemExit({code})"))
        answer = world.check(CheckCommand(command="it"), key=KEY, flag="f")
        assert (answer.yes, answer.text, answer.output) == (yes, f"it ended with {code}", "said")
        effect = InvokeCommand(key=KEY, step="s1", command="it")
        kind = EffectDone if yes else EffectFailed
        done = world.perform(effect, plan_of())
        assert (type(done), done.output) == (kind, "said")
