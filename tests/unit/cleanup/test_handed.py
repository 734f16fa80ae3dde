"""What a test is handed by a decorator that pins the flag, and goes with it."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

FLAGS = 'NEW_MENU = Feature("new_menu")\n'
VIEW = (
    "from app.flags import NEW_MENU\n\n\n"
    "def view():\n    return NEW_MENU.check_value(1) and show()\n"
)
PIN = '@patch("app.views.NEW_MENU.check_value", return_value=True)\n'


def clean(test):
    files = {"app/flags.py": FLAGS, "app/views.py": VIEW, "tests/test_a.py": test}
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    changes = plan_in(tree, CleanupRequest(flag="new_menu", keep=True)).changes
    found = {change.path: change.after or b"" for change in changes}
    return found.get("tests/test_a.py", test.encode()).decode()


@pytest.mark.parametrize(
    ("above", "below", "before", "after"),
    [
        ("", "", "(flag)", "()"),
        ("", "", "(self, flag, client)", "(self, client)"),
        ('@patch("a.b")\n', "", "(flag, b)", "(b)"),
        ("", '@patch("a.b")\n', "(b, flag)", "(b)"),
        ("", '@patch("a.b", new=1)\n', "(flag, c)", "(c)"),
        ("@pytest.mark.slow\n", '@mock.patch.object(a, "b", 1)\n', "(flag)", "()"),
        ("", '@mock.patch.object(a, "b")\n', "(self, b, flag)", "(self, b)"),
    ],
)
def test_the_double_of_a_pin_goes_with_it(above, below, before, after):
    source = f"{above}{PIN}{below}def test_a{before}:\n    assert a()\n"
    assert clean(source) == f"{above}{below}def test_a{after}:\n    assert a()\n"


@pytest.mark.parametrize(
    "test",
    [
        "def test_a(flag):\n    assert a()\n    flag.assert_called_once()\n",
        "def test_a(*doubles):\n    assert a()\n",
    ],
)
def test_a_double_that_is_used_keeps_its_pin(test):
    assert clean(PIN + test) == PIN + test


TOLD = '@patch("app.views.NEW_MENU.check_value")\n'


def test_a_double_that_is_told_in_the_test_goes_with_what_it_is_told():
    told = "def test_a(self, double, client):\n    double.return_value = {}\n    assert a()\n"
    other = "def test_b():\n    assert b()\n"
    assert clean(TOLD + told.format("True")) == "def test_a(self, client):\n    assert a()\n"
    assert clean(f"{TOLD}{told.format('False')}\n\n{other}") == other
    for more in ("double.assert_called()", "double.return_value = False"):
        source = f"{TOLD}{told.format('True')}    {more}\n"
        assert clean(source) == source
    unsure = TOLD + told.format("state")
    assert clean(unsure) == unsure
