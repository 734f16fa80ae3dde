"""What tests and decorators do with the flag, and what only bears a name like it."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.asking import lets_pass
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def plan(source, *, keep=True, path="tests/test_a.py"):
    tree = MemoryTree({path: source.encode()})
    return plan_in(tree, CleanupRequest(flag="new_menu", keep=keep))


def clean(source, **how):
    return next(((c.after or b"").decode() for c in plan(source, **how).changes), source)


LEFT = {
    "a deed with another thing": 'client.create_channel("new_menu")',
    "a deed of a service": 'service.update_title("new_menu")',
    "a deed of a function": 'create_page("new_menu")',
    "a state of another thing": 'set_title(page, "new_menu", False)',
    "a state of another thing that stays": 'set_title(page, "new_menu", True)',
    "a patched method": 'patch.object(Service, "new_menu", True)',
    "a flag that is made in a state nobody told": 'FlagFactory(name="new_menu")',
    "a state that is looked at": 'assert_flag_set("new_menu", True)',
}


@pytest.mark.parametrize("what", LEFT)
@pytest.mark.parametrize("keep", [True, False])
def test_a_deed_that_may_be_about_something_else_is_left(what, keep):
    source = f"def test_rename():\n    {LEFT[what]}\n    assert a()\n"
    left = plan(source, keep=keep)
    assert left.changes == ()
    assert left.residues


MORE = {
    "another flag later": (
        "    set_flag('new_menu', False)\n    assert a()\n"
        "    set_flag('other', True)\n    assert b()\n"
    ),
    "another setting later": (
        "    settings.new_menu = False\n    assert a()\n    settings.OTHER = 1\n    assert b()\n"
    ),
    "something before": "    assert a()\n    set_flag('new_menu', False)\n    assert b()\n",
    "another pin later": (
        "    set_flag('new_menu', False)\n    self.assertEqual(a(), 1)\n"
        "    with override_flag('other', True):\n        assert b()\n"
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_a_test_of_more_than_the_other_answer_is_left_and_reported(what):
    source = f"def test_it():\n{MORE[what]}"
    left = plan(source)
    assert left.changes == ()
    assert left.residues


def test_a_test_of_the_other_answer_alone_goes():
    source = (
        "def test_off():\n    set_flag('other', True)\n    set_flag('new_menu', False)\n"
        "    assert a()\n\n\ndef test_on():\n    enable_feature('new_menu')\n    assert b()\n"
    )
    assert clean(source) == "def test_on():\n    assert b()\n"


def test_a_pinned_part_goes_and_what_is_looked_at_beside_it_stays():
    source = (
        "def test_it():\n    assert a()\n    with override_flag('new_menu', False):\n"
        "        assert b()\n    assert c()\n"
    )
    assert clean(source) == "def test_it():\n    assert a()\n    assert c()\n"


def test_what_was_made_under_the_other_answer_is_looked_at_with_it():
    made = "    with override_flag('new_menu', False):\n        x = a()\n"
    assert clean(f"def test_it():\n{made}    assert x\n\n\ny = 1\n") == "y = 1\n"
    mixed = f"def test_it():\n{made}    assert x\n    assert b()\n"
    assert clean(mixed) == "def test_it():\n    x = a()\n    assert x\n    assert b()\n"
    assert plan(mixed).residues


PASSING = ["waffle_flag", "feature_required", "requires_feature", "with_feature", "if_flag"]
OTHER = ["flag_disabled", "register_flag", "skip_if_feature", "without_feature", "hide_if_flag"]
OTHER += [
    "sample_data",
    "allure.feature",
    "flag",
    "toggle",
    "not_feature",
    "on_flag",
    "if_flag_off",
]


@pytest.mark.parametrize("name", PASSING + OTHER)
def test_a_decorator_goes_only_if_each_of_its_words_is_understood(name):
    assert lets_pass(name.rpartition(".")[2]) is (name in PASSING)
    source = f'@{name}("new_menu")\ndef f():\n    a()\n'
    after = "def f():\n    a()\n" if name in PASSING else source
    assert clean(source, path="app/a.py") == after
    assert bool(plan(source, path="app/a.py").residues) is (name in OTHER)


TABLES = {
    'FLAGS = {"new_menu"}\n': "FLAGS = set()\n",
    'FLAGS = {"new_menu", "b"}\n': 'FLAGS = {"b"}\n',
    'FLAGS = ["new_menu"]\n': "FLAGS = []\n",
    'FLAGS = ("new_menu", "b", "c")\n': 'FLAGS = ("b", "c")\n',
    'FLAGS = ("new_menu", "b")\n': 'FLAGS = ("b",)\n',
    'FLAGS = ("new_menu",)\n': "FLAGS = ()\n",
    'FLAGS = (("new_menu", "b"), ("c", "d"))\n': 'FLAGS = (("c", "d"),)\n',
    'FEATURES: set[str] = {"new_menu"}\n': "FEATURES: set[str] = set()\n",
    'FLAG_DEFAULTS = {"new_menu": True}\n': "FLAG_DEFAULTS = {}\n",
}


@pytest.mark.parametrize("source", TABLES)
def test_a_table_of_flags_loses_its_entry_whatever_it_is_written_in(source):
    assert clean(source, path="app/a.py") == TABLES[source]


@pytest.mark.parametrize(
    "source",
    [
        'FLAGS = ("new_menu", "The new menu")\n',
        'SAMPLE_MENUS = ["new_menu", "b"]\n',
        'SWITCH_ARGS = ["new_menu", "b"]\n',
        'flag_and_user = ("new_menu", "b")\n',
        'FLAGS = make({"new_menu"})\n',
        'FLAGS = {"a": {"new_menu": 1}}\n',
        'PLAN_FEATURES = {"pro": ["new_menu", "b"]}\n',
        'plan.features = ["new_menu", "b"]\n',
        'def f():\n    features = ["new_menu", "b"]\n    g(features)\n',
    ],
)
def test_what_may_be_no_table_of_flags_stays(source):
    left = plan(source, path="app/a.py")
    assert left.changes == ()
    assert left.residues


def test_a_file_that_takes_its_tests_from_elsewhere_is_not_deleted():
    source = "from x import *\n\n\ndef test_a():\n    set_flag('new_menu', False)\n    assert a()\n"
    assert clean(source) == "from x import *\n"


def test_a_test_that_went_as_a_whole_is_reported():
    source = "class TestA:\n    def test_off(self):\n        set_flag('new_menu', False)\n"
    (residue,) = plan(source).residues
    assert str(residue.reference) == "tests/test_a.py:2: def test_off(self):"
    assert residue.reference.kind == "dropped"
