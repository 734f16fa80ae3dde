"""What becomes of the tests that pin the flag."""

from __future__ import annotations

from textwrap import dedent

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

PATH = "tests/test_views.py"


def plan(source, *, keep=True):
    tree = MemoryTree({PATH: dedent(source).encode()})
    return plan_in(tree, CleanupRequest(flag="new", keep=keep))


def clean(source, *, keep=True):
    (change,) = plan(source, keep=keep).changes
    return None if change.after is None else change.after.decode()


BOTH = """
    def test_both(client):
        with override_flag("new", True), client.session() as s:
            assert s.get() == 1
        with override_flag("new", active=False):
            assert client.get() == 2
    """


def test_a_test_of_both_sides_keeps_one():
    assert clean(BOTH) == dedent(
        """
        def test_both(client):
            with client.session() as s:
                assert s.get() == 1
        """
    )
    assert clean(BOTH, keep=False) == dedent(
        """
        def test_both(client):
            assert client.get() == 2
        """
    )


def test_a_class_left_without_tests_goes():
    source = """
    import pytest


    class TestOld:
        @pytest.mark.slow
        @override_flag("new", False)
        def test_it(self):
            assert view() == 2


    @override_flag("new", True)
    class TestNew:
        def test_it(self):
            assert view() == 1
    """
    assert clean(source) == dedent(
        """
        class TestNew:
            def test_it(self):
                assert view() == 1
        """
    )


OURS = """
    from flagstaff.testing import override_flag

    from app import view


    def test_new():
        with override_flag("new"):
            assert view() == 1


    @override_flag("new")
    def test_all():
        assert view() == 1
"""


def test_ours_turns_the_flag_on_without_a_value():
    assert clean(OURS) == dedent(
        """
        from app import view


        def test_new():
            assert view() == 1


        def test_all():
            assert view() == 1
        """
    )
    assert clean(OURS, keep=False) is None


def test_one_of_others_without_a_value_says_nothing():
    left = plan(OURS.replace("flagstaff.testing", "waffle.testutils"))
    assert left.changes == ()
    assert [each.reference.line for each in left.residues] == [8, 12]


def test_a_file_left_without_tests_is_deleted():
    source = """
    from app import view


    @override_flag("new", False)
    def test_it():
        assert view() == 2
    """
    assert clean(source) is None


@pytest.mark.parametrize(
    "source",
    [
        'def test_it(on):\n    with override_flag("new", on):\n        a()\n',
        'def helper():\n    with override_flag("new", False):\n        a()\n',
        'def test_it():\n    with override_flag("new", True) as pinned:\n        a(pinned)\n',
    ],
    ids=["a value of run time", "the losing side outside of a test", "a pin that is used"],
)
def test_what_is_not_certain_stays_and_is_reported(source):
    left = plan(source)
    assert left.changes == ()
    (residue,) = left.residues
    assert residue.reference.kind == "override"
