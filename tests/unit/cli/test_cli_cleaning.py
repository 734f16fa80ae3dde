"""Does the terminal remove a flag: as a diff that git takes, or as a branch?"""

import json
import subprocess

import pytest

from flagstaff.cli.cleaning import MOST_LINES
from flagstaff.cli.main import run

SHOP = """\
def price(flags):
    if flags.is_enabled("new_shop"):
        return 2
    return 1
"""
FILES = {
    "app/shop.py": SHOP,
    "app/page.vue": 'if (flag("new_shop")) shop();\n',
    "config/feature_flags/ops/new_shop.yml": "name: new_shop\n",
    "CHANGELOG.md": "# Changelog\n\n## Unreleased\n",
}


@pytest.fixture
def sandbox(git_sandbox):
    git_sandbox.commit("everything", **FILES)
    return git_sandbox


def cleanup(sandbox, *words):
    return run(["cleanup", "new_shop", "--project", str(sandbox.root), *words])


@pytest.mark.parametrize(("keep", "price"), [("on", 2), ("off", 1)])
def test_the_diff_is_one_that_git_applies(sandbox, capsys, keep, price):
    assert cleanup(sandbox, "--keep", keep, "--diff") == 0
    said = capsys.readouterr()
    assert said.err == ""
    subprocess.run(["git", "apply", "-"], cwd=sandbox.root, input=said.out, text=True, check=True)
    assert (sandbox.root / "app/shop.py").read_text() == f"def price(flags):\n    return {price}\n"
    assert not (sandbox.root / "config/feature_flags/ops/new_shop.yml").exists()
    assert "new_shop" in (sandbox.root / "CHANGELOG.md").read_text()


def test_of_a_file_that_speaks_of_it_often_some_lines_are_shown(sandbox, capsys):
    sandbox.commit("a log", **{"notes.txt": "new_shop is on\n" * 30})
    assert cleanup(sandbox) == 0
    said = capsys.readouterr().err
    assert said.count("notes.txt:") == MOST_LINES
    assert "25 more in notes.txt; --json has them all" in said


def test_what_is_left_is_said_beside_it(sandbox, capsys):
    assert cleanup(sandbox) == 0
    said = capsys.readouterr()
    assert "-    if flags.is_enabled" in said.out
    assert "app/page.vue:1" in said.err
    assert "3 files changed, 1 line left" in said.err


def test_code_that_may_still_ask_is_said_first_and_warned_of(sandbox, capsys):
    text = 'why = flags.evaluate("new_shop").reason\n'
    sandbox.commit("why", **{"zebra/why.py": text, "docs/a.md": "new_shop is coming\n"})
    assert cleanup(sandbox) == 0
    first, *_, last = capsys.readouterr().err.splitlines()
    assert "zebra/why.py:1" in first
    assert "mend the 1 line that may still ask for new_shop" in last
    assert cleanup(sandbox, "--keep", "off") == 0
    assert "may still ask" not in capsys.readouterr().err


def test_a_branch_is_made_and_the_checkout_stays(sandbox, capsys):
    before = sandbox.head()
    assert cleanup(sandbox, "--branch") == 0
    assert cleanup(sandbox, "--branch") == 0  # and a second time nothing more
    assert "on the branch cleanup/new_shop" in capsys.readouterr().err
    assert sandbox.head() == before == sandbox.head("cleanup/new_shop~")
    assert sandbox.git("status", "--porcelain") == ""
    assert sandbox.git("show", "cleanup/new_shop:app/shop.py").endswith("return 2")


def test_a_branch_and_its_diff_can_be_had_together(sandbox, capsys):
    assert cleanup(sandbox, "--branch", "--diff") == 0
    assert "+    return 2" in capsys.readouterr().out
    assert sandbox.git("show", "cleanup/new_shop:app/shop.py").endswith("return 2")


def test_a_dry_run_makes_no_branch(sandbox, capsys):
    assert cleanup(sandbox, "--branch", "--dry-run") == 0
    assert "return 2" in capsys.readouterr().out
    assert sandbox.git("branch", "--list", "cleanup/*") == ""


def test_programs_get_json(sandbox, capsys):
    assert cleanup(sandbox, "--branch", "--name", "gone", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["flag"], told["keep"], told["branch"]) == ("new_shop", "on", "gone")
    assert told["base"] == sandbox.head()
    assert "app/shop.py" in told["files"]
    assert len(told["residues"]) == 1


def test_a_flag_that_nothing_refers_to_is_an_error_with_the_remedy(sandbox, capsys):
    assert run(["cleanup", "other", "--project", str(sandbox.root)]) == 1
    told = capsys.readouterr().err
    assert "nothing in HEAD refers to other" in told
    assert "flagstaff feature list" in told
    path = sandbox.root / "config/feature_flags/development/old_search.yml"
    path.parent.mkdir(parents=True)
    path.write_text("name: old_search\ntype: development\ndefault_enabled: false\n")
    assert run(["cleanup", "old_serch", "--project", str(sandbox.root)]) == 1
    assert "did you mean old_search?" in capsys.readouterr().err


def test_a_name_without_a_branch_is_wrong_words(sandbox, capsys):
    assert cleanup(sandbox, "--name", "x") == 2
    assert "add `--branch`" in capsys.readouterr().err
