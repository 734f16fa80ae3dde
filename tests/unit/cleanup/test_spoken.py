"""What asks for the flag by a text, or a number, that says its state."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

ON = [
    'os.environ.get("NEW_MENU", "") == "true"',
    'os.environ["NEW_MENU"] == "1"',
    'os.getenv("NEW_MENU", "false").lower() == "true"',
    'str(os.getenv("NEW_MENU", False)).strip().upper() == "TRUE"',
    'os.getenv("NEW_MENU") in ("1", "true", "yes")',
    'os.getenv("NEW_MENU", "on") != "false"',
    'os.getenv("NEW_MENU", "").lower() not in ["", "0", "off"]',
    '(os.getenv("NEW_MENU") or "no") == "yes"',
    'bool(int(os.getenv("NEW_MENU", "0")))',
    'int(os.getenv("NEW_MENU", "0"))',
    'int(os.getenv("NEW_MENU", 0)) == 1',
    'strtobool(os.getenv("NEW_MENU", "false"))',
    'bool(distutils.util.strtobool(os.environ.get("NEW_MENU", "no")))',
    'app.config["NEW_MENU"] == "on"',
    'app.config.get("NEW_MENU") == "on"',
]
OFF = [
    'os.getenv("NEW_MENU") == "false"',
    'os.getenv("NEW_MENU") != "true"',
    'os.getenv("NEW_MENU", "") in ("", "0")',
    'not strtobool(os.getenv("NEW_MENU"))',
]
UNSURE = [
    'os.getenv("NEW_MENU") == "beta"',
    'os.getenv("NEW_MENU") == default',
    'os.getenv("NEW_MENU") in ("0", "1")',
    'os.getenv("NEW_MENU") in "true"',
    'os.getenv("NEW_MENU") == ("true", "1")',
    'os.getenv("NEW_MENU") > "0"',
    'os.getenv("NEW_MENU", default()) == "true"',
    'read("NEW_MENU") == "true"',
    'user.get("NEW_MENU") == "true"',
    'int(os.getenv("NEW_MENU")) + 1',
]


def plan(source, *, keep):
    tree = MemoryTree({"app/a.py": source.encode()})
    return plan_in(tree, CleanupRequest(flag="NEW_MENU", keep=keep))


def clean(source, *, keep):
    changes = plan(source, keep=keep).changes
    return next(((c.after or b"").decode() for c in changes), source)


@pytest.mark.parametrize("ask", ON + OFF)
@pytest.mark.parametrize("keep", [True, False])
def test_a_text_that_says_the_state_is_asked_for_it(ask, keep):
    source = f"def f():\n    if {ask}:\n        a()\n    else:\n        b()\n"
    called = "a()" if keep is (ask in ON) else "b()"
    assert clean(source, keep=keep) == f"def f():\n    {called}\n"


@pytest.mark.parametrize("ask", UNSURE)
def test_what_says_more_than_a_state_is_left_and_reported(ask):
    source = f"def f():\n    if {ask}:\n        a()\n"
    assert clean(source, keep=True) == source
    assert plan(source, keep=True).residues


def test_a_name_that_holds_such_an_answer_goes_with_it():
    source = (
        'is_new = os.environ.get("NEW_MENU", "") == "true"\nif is_prod and is_new:\n    keep = 75\n'
    )
    assert clean(source, keep=True) == "if is_prod:\n    keep = 75\n"


def test_a_number_that_is_used_as_one_stays():
    source = 'count = int(os.getenv("NEW_MENU", "0"))\nstart(count + 1)\n'
    assert clean(source, keep=True) == source


def test_a_module_that_reads_its_own_setting_is_given_the_answer():
    source = (
        'NEW_MENU = os.getenv("NEW_MENU", "false").lower() == "true"\n\n\n'
        "def view():\n    if NEW_MENU:\n        return a()\n    return b()\n"
    )
    assert clean(source, keep=True) == "def view():\n    return a()\n"
    assert clean(source, keep=False) == "def view():\n    return b()\n"
    # A fixed value is no question, and whoever reads the name from elsewhere is not followed.
    fixed = source.replace('os.getenv("NEW_MENU", "false").lower() == "true"', "True")
    assert clean(fixed, keep=True) == fixed
