"""Which comments a clean-up takes away, and where it leaves blank lines."""

from __future__ import annotations

from textwrap import dedent

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def clean(source, path="app/views.py", others=None):
    files = {path: dedent(source).encode()} | (others or {})
    plan = plan_in(MemoryTree(files), CleanupRequest(flag="new", keep=True))
    return {change.path: change.after for change in plan.changes}[path].decode()


CASES = {
    "a comment on this switch, above what is left of its condition": (
        """
        def f():
            # This switch is there for a while, to see
            # what it does.
            if a and flags.is_enabled("new"):
                b()
        """,
        """
        def f():
            if a:
                b()
        """,
    ),
    "a comment on something else, above what is left of a condition": (
        """
        # Switch to the other thing; the flag of the file system is left.
        if a and flags.is_enabled("new"):
            b()
        """,
        """
        # Switch to the other thing; the flag of the file system is left.
        if a:
            b()
        """,
    ),
    "a comment on a flag, above another condition": (
        """
        # this feature flag
        if a:
            b(flags.is_enabled("new") and c)
        """,
        """
        # this feature flag
        if a:
            b(c)
        """,
    ),
    "a blank line below the head of a block": (
        """
        def f():
            if flags.is_enabled("new"):

                def g():
                    return 1

                return g
            return None


        def h():
            a()
            # on b
            if flags.is_enabled("new"):

                b()
        """,
        """
        def f():
            def g():
                return 1

            return g


        def h():
            a()
            # on b
            b()
        """,
    ),
    "a blank line above a function within one": (
        """
        def f():
            a()
            if flags.is_enabled("new"):

                def g():
                    return 1

                return g
        """,
        """
        def f():
            a()

            def g():
                return 1

            return g
        """,
    ),
    "a blank line above and one below the head of a block": (
        """
        def f():
            a()

            if flags.is_enabled("new"):

                b()
        """,
        """
        def f():
            a()

            b()
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_comments_and_blank_lines(name):
    before, expected = CASES[name]
    assert clean(before) == dedent(expected)


NAMES = {
    "the comment of several": (
        "# Feature flags, by name\nNEW = 'new'\nOTHER = 'other'\n",
        "# Feature flags, by name\nOTHER = 'other'\n",
    ),
    "the comment of several, and one of the next": (
        "A = 1\n\n# Waffle switches\nNEW = 'new'\n# the other\nOTHER = 'other'\n",
        "A = 1\n\n# Waffle switches\n# the other\nOTHER = 'other'\n",
    ),
    "the comment of one": (
        "A = 1\n# The menu at the side\nNEW = 'new'\nOTHER = 'other'\n",
        "A = 1\nOTHER = 'other'\n",
    ),
    "a comment on flags with nothing else below": (
        "A = 1\n\n# Feature flags\nNEW = 'new'\n\nOTHER = 'other'\n",
        "A = 1\n\nOTHER = 'other'\n",
    ),
    "a comment on flags at the end": (
        "A = 1\n\n# Feature flags\nNEW = 'new'\n",
        "A = 1\n",
    ),
    "a comment on flags that names this one": (
        "A = 1\n# new and its values\nNEW = 'new'\nOTHER = 'other'\n",
        "A = 1\nOTHER = 'other'\n",
    ),
    "a comment on flags above a function": (
        "A = 1\n# flags\nNEW = 'new'\ndef f(): pass\n",
        "A = 1\ndef f(): pass\n",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_comment_that_heads_several_constants_stays(name):
    before, expected = NAMES[name]
    asking = b"from app.flags import NEW\n\nif flags.is_enabled(NEW):\n    run()\n"
    assert clean(before, "app/flags.py", {"app/views.py": asking}) == expected


def test_a_comment_that_heads_several_elements_stays():
    table = """
    FEATURES = (
        # Flags of the menu
        ("new", "The new menu"),
        ("old", "The old menu"),
        # The page
        ("page", "The page"),
    )
    """
    gone = '        ("new", "The new menu"),\n'
    assert clean(table) == dedent(table.replace(gone, ""))
    apart = table.replace('("old"', '# The last one\n        ("old"').replace("Flags of the", "The")
    left = apart.replace(gone, "").replace("        # The menu\n", "")
    assert clean(apart) == dedent(left)
