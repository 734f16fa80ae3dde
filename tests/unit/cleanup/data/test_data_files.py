"""How data files follow a clean-up, and what is said of those that do not."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.changes import ReferenceKind
from flagstaff.cleanup.data import files
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.references import references_in
from flagstaff.cleanup.tree import MemoryTree

CODE = b'if flags.is_enabled("new_menu"):\n    new()\n'


def cleaned(files, flag="new_menu", *, keep=True):
    tree = MemoryTree({path: content.encode() for path, content in files.items()})
    plan = plan_in(tree, CleanupRequest(flag=flag, keep=keep))
    after = {change.path: (change.after or b"").decode() for change in plan.changes}
    left = {(r.reference.path, r.reference.line): r.reason for r in plan.residues}
    return {**files, **after}, left


@pytest.mark.parametrize("keep", [True, False])
def test_every_entry_of_a_file_goes(keep):
    text = "flags: [new_menu, b]\ntoggles:\n  new_menu: true\nfeatures:\n- a\n- new_menu\n"
    after, left = cleaned({"a.py": CODE.decode(), "app.yml": text}, keep=keep)
    assert after["app.yml"] == "flags: [b]\ntoggles: {}\nfeatures:\n- a\n"
    assert left == {}


def test_a_table_goes_without_code_that_asks():
    after, left = cleaned({"flags.json": '{"new_menu": true}\n'})
    assert after == {"flags.json": "{}\n"}
    assert left == {}


def test_a_table_stays_while_the_code_asks():
    code = "import x\nx.y('new_menu', z)\n"
    after, left = cleaned({"a.py": code, "app.yml": "flags: [new_menu]\n"})
    assert after["app.yml"] == "flags: [new_menu]\n"
    assert left["app.yml", 1] == files.STILL_ASKED
    assert ("a.py", 2) in left


def test_a_comment_or_a_migration_holds_no_table_back():
    code = {"a.py": "# new_menu was here\n", "app/migrations/1.py": "add('new_menu')\n"}
    after, _ = cleaned({**code, "app.yml": "flags: [new_menu]\n"})
    assert after["app.yml"] == "flags: []\n"


SETTING = "import os\n\nFF_MENU = os.environ.get('FF_MENU') == '1'\n"
USE = "from django.conf import settings\n\nif settings.FF_MENU:\n    go()\n"


def test_a_variable_goes_once_nothing_names_it():
    compose = "services:\n  web:\n    environment:\n      - FF_MENU=1\n      - B=1\n"
    code = {"config/settings.py": SETTING, "a.py": USE}
    after, left = cleaned({**code, "compose.yml": compose}, "FF_MENU")
    assert after["compose.yml"] == compose.replace("      - FF_MENU=1\n", "")
    assert left == {}


@pytest.mark.parametrize("name", ["start.sh", "other.yml"])
def test_a_variable_that_is_named_elsewhere_stays(name):
    values = "env:\n  FF_MENU: 1\n"
    code = {"config/settings.py": SETTING, "a.py": USE, name: "x: $FF_MENU\n"}
    after, left = cleaned({**code, "values.yaml": values}, "FF_MENU")
    assert after["values.yaml"] == values
    assert left["values.yaml", 2] == files.STILL_NAMED


def test_a_variable_that_was_never_read_stays():
    after, left = cleaned({"values.yaml": "env:\n  FF_MENU: 1\n"}, "FF_MENU")
    assert after["values.yaml"] == "env:\n  FF_MENU: 1\n"
    assert left["values.yaml", 2] == files.STILL_NAMED


def test_what_is_left_is_said_with_its_reason():
    chart = "{{- if .x }}\nflags: [new_menu]\n"
    text = "menu: new_menu\nflags: [new_menu, # x\n  b]\nenv: {NEW_MENU: 1}\n"
    after, left = cleaned({"chart.yaml": chart, "app.yml": text, "big.json": '["new_menu"]'})
    assert after == {"chart.yaml": chart, "app.yml": text, "big.json": '["new_menu"]'}
    assert left == {
        ("chart.yaml", 2): files.NO_DATA,
        ("app.yml", 1): files.NO_TABLE,
        ("app.yml", 2): files.BESIDE,
        ("app.yml", 4): "reads as the flag's environment variable, and may be another's",
        ("big.json", 1): files.NO_TABLE,
    }


def test_files_that_are_no_text_are_left():
    tree = MemoryTree({"a.yml": b"flags: [new_menu] # \xff\n"})
    plan = plan_in(tree, CleanupRequest(flag="new_menu", keep=True))
    assert plan.changes == ()
    assert [residue.reference.line for residue in plan.residues] == [1]


@pytest.mark.parametrize("name", ["a.json", "a.yml"])
@pytest.mark.parametrize("depth", [20, 90, 200, 300, 400, 480, 2_000])
def test_however_deep_it_is_nested_nothing_breaks(name, depth):
    text = '{"flags": ["new_menu"], "x": ' + "[" * depth + "]" * depth + "}\n"
    after, left = cleaned({name: text})
    cut = text.replace('"new_menu"', "")
    assert after == {name: cut} or (depth > 100 and left == {(name, 1): left[name, 1]})


def test_references_tell_entries_from_texts():
    tree = MemoryTree({"a.yml": b"x: new_menu\nflags:\n- new_menu\nenv:\n- FF_NEW_MENU=1\n"})
    kinds = [(each.line, each.kind) for each in references_in(tree, "new_menu")]
    assert kinds == [
        (1, ReferenceKind.TEXT),
        (3, ReferenceKind.ENTRY),
        (5, ReferenceKind.ENTRY),
    ]
