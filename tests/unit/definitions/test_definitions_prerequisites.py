"""Do flags that need each other fit together?"""

from __future__ import annotations

import pytest

from flagstaff.definitions import lint, load_definitions
from flagstaff.definitions.folder import check_folder
from flagstaff.definitions.prerequisites import Prerequisite
from flagstaff.errors import DefinitionError
from flagstaff.server.watched import WatchedDefinitions

HEAD = "name: {name}\ntype: ops\ndefault_enabled: false\n"


@pytest.fixture
def define(tmp_path):
    def define(name, *needed):
        path = tmp_path / "config/feature_flags/ops" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"  - flag: {each}\n" for each in needed)
        path.write_text(HEAD.format(name=name) + (f"prerequisites:\n{lines}" if needed else ""))
        return path

    return define


def test_prerequisites_are_read_in_the_order_of_their_names(define, tmp_path):
    define("b")
    define("c")
    define("a", "c", "b")
    found = load_definitions(tmp_path)["a"].prerequisites
    assert found == (Prerequisite(flag="b"), Prerequisite(flag="c"))
    assert [each.line for each in found] == [6, 5]


def test_a_circle_is_a_problem_of_each_of_its_files(define, tmp_path):
    define("a", "b")
    define("b", "c")
    define("c", "a")
    define("outside", "a")
    errors, _ = lint(tmp_path)
    here = "config/feature_flags/ops"
    words = f"a ({here}/a.yml) needs b, b ({here}/b.yml) needs c, c ({here}/c.yml) needs a"
    assert [str(each) for each in errors] == [
        f"{here}/{name}.yml:5: its prerequisites go round in a circle: {words};"
        " take one of these prerequisites out"
        for name in "abc"
    ]
    with pytest.raises(DefinitionError, match="in a circle"):
        load_definitions(tmp_path)


def test_two_circles_are_both_reported(define, tmp_path):
    for name, needed in (("a", "b"), ("b", "a"), ("x", "y"), ("y", "x")):
        define(name, needed)
    found, errors = check_folder(tmp_path)
    assert len(errors) == 4
    assert not found


def test_a_prerequisite_that_nobody_defines(define, tmp_path):
    define("new_search")
    define("a", "new_serch", "gone")
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path)
    assert [(each.line, each.what, each.remedy) for each in caught.value.problems] == [
        (6, "needs the flag 'gone', which is not defined", "define it, or delete the prerequisite"),
        (5, "needs the flag 'new_serch', which is not defined", "did you mean `new_search`?"),
    ]


def test_a_prerequisite_whose_file_is_wrong_is_one_problem_only(define, tmp_path):
    define("a", "b")
    define("b").write_text("name: b\n")
    _, errors = check_folder(tmp_path)
    assert {each.file.rpartition("/")[2] for each in errors} == {"b.yml"}


def test_a_server_keeps_what_was_before_the_circle(define, tmp_path):
    define("a")
    define("b", "a")
    now = 0.0
    watched = WatchedDefinitions(tmp_path, "config/feature_flags", clock=lambda: now)
    define("a", "b")
    now = 10.0
    assert watched()["a"].prerequisites == ()
    assert watched()["b"].prerequisites == (Prerequisite(flag="a"),)
    assert len(watched.problems) == 2
