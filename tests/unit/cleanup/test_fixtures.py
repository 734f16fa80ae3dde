"""What becomes of the fixtures of pytest that only turn the flag on."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

FIXTURE = '''import pytest
from app.factories import FlagFactory


@pytest.fixture()
def menu_flag():
    """Create the flag."""
    yield FlagFactory(name="new_menu", active=True)


'''
TESTS = """@pytest.mark.usefixtures("menu_flag", "db")
class TestMenu:
    @pytest.mark.usefixtures("menu_flag")
    def test_a(self, client, menu_flag):
        assert a(client)

    def test_b(
        self,
        menu_flag,
        client,
    ):
        assert b(client)
"""
AFTER = """import pytest

@pytest.mark.usefixtures("db")
class TestMenu:
    def test_a(self, client):
        assert a(client)

    def test_b(
        self,
        client,
    ):
        assert b(client)
"""


def clean(source, *, path="tests/test_a.py", keep=True):
    tree = MemoryTree({path: source.encode()})
    plan = plan_in(tree, CleanupRequest(flag="new_menu", keep=keep))
    return next(((c.after or b"").decode() for c in plan.changes), source)


def test_a_fixture_that_only_turns_the_flag_on_goes_with_what_asks_for_it():
    after = clean(FIXTURE + TESTS)
    assert "".join(after.split()) == "".join(AFTER.split())
    assert clean(FIXTURE.replace("yield", "return") + TESTS) == after
    assert clean(after) == after


def test_the_end_of_the_parameters_stays_where_it_was():
    test = "def test_a(\n    client, {}\n):\n    assert a(client)\n"
    after = clean(FIXTURE + test.format("menu_flag"))
    assert after.endswith("def test_a(\n    client\n):\n    assert a(client)\n")


KEPT = {
    "it is read": FIXTURE + "def test_a(menu_flag):\n    assert menu_flag.active\n",
    "it does more": FIXTURE.replace("    yield", "    clear()\n    yield") + TESTS,
    "it gives the other answer": FIXTURE.replace("True", "False") + TESTS,
    "it is no fixture": FIXTURE.replace("@pytest.fixture()\n", "") + TESTS,
    "it is asked for by its name": FIXTURE
    + 'def test_a(request):\n    request.getfixturevalue("menu_flag")\n',
}


@pytest.mark.parametrize("why", KEPT)
def test_a_fixture_stays_where(why):
    assert clean(KEPT[why]) == KEPT[why]


BOTH = """@pytest.fixture(params=[0, 1])
def both(request):
    state.set_config("new_menu", request.param)


def test_a(both):
    assert f()
"""


@pytest.mark.parametrize("keep", [True, False])
def test_a_fixture_that_tries_both_answers_goes(keep):
    assert clean(BOTH, keep=keep) == "def test_a():\n    assert f()\n"
    assert clean(BOTH.replace("1]", "2]"), keep=keep) == BOTH.replace("1]", "2]")


def test_a_fixture_that_other_files_may_ask_for_stays():
    assert clean(FIXTURE, path="tests/conftest.py") == FIXTURE
    assert clean(FIXTURE + TESTS, keep=False) == FIXTURE + TESTS
