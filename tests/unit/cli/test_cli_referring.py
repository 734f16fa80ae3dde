"""Does the terminal say where a flag is used?"""

from __future__ import annotations

import json

import pytest

from flagstaff.cli.main import run

FILES = {
    "app/x.py": "NAME = 'new_shop'\nif flags.is_enabled(NAME):\n    pass\n",
    "app/x.js": "if (features.newShop) { go(); }\nconst renewShop = newShopper;\n",
    "app/x.html": '{% if flag("new_shop") %}new{% endif %}\n',
}


@pytest.fixture
def root(git_sandbox):
    git_sandbox.commit("everything", **FILES)
    return git_sandbox.root


def test_every_line_is_told_with_how_it_speaks_of_the_flag(root, capsys):
    assert run(["flag", "references", "new_shop", "--project", str(root)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        'app/x.html:1: text: {% if flag("new_shop") %}new{% endif %}',
        "app/x.js:1: text: if (features.newShop) { go(); }",
        "app/x.py:1: constant: NAME = 'new_shop'",
        "app/x.py:2: call: if flags.is_enabled(NAME):",
    ]
    assert said.err == "lines: 4, files: 3\n"


def test_programs_get_json_and_ci_an_exit_code(root, capsys):
    words = ["flag", "references", "new_shop", "--project", str(root), "--fail", "--json"]
    assert run(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["references"][1] == {
        "path": "app/x.js",
        "line": 1,
        "kind": "text",
        "text": "if (features.newShop) { go(); }",
    }


def test_a_flag_that_nothing_uses_is_said_so(root, capsys):
    assert run(["flag", "references", "other", "--project", str(root), "--fail"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "nothing uses other\n")


def test_a_folder_without_a_repository_is_named_with_the_remedy(tmp_path, capsys):
    assert run(["flag", "references", "other", "--project", str(tmp_path)]) == 1
    assert "is no git repository" in capsys.readouterr().err
