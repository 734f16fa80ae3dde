"""Which entries of documentation go with the flag, and which text about it stays."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def plan(text, *, flag="new_menu", path="docs/flags.md", code=b""):
    tree = MemoryTree({path: text.encode(), "app/a.py": code})
    return plan_in(tree, CleanupRequest(flag=flag, keep=True))


def clean(text, **how):
    changes = plan(text, **how).changes
    return next(((c.after or b"").decode() for c in changes if c.path != "app/a.py"), text)


LISTED = {
    "| Name | What |\n|---|---|\n| `old` | O |\n| `new_menu` | N |\n": (
        "| Name | What |\n|---|---|\n| `old` | O |\n"
    ),
    "* ``new_menu`` - The menu,\n  in blue.\n* ``old`` - The old.\n": "* ``old`` - The old.\n",
    "``old``: O\n\n``new_menu``: The\nmenu.\n\n``last``: L\n": "``old``: O\n\n``last``: L\n",
    "- `old`: O\n  - `new_menu`: N\n    more\n- `last`: L\n": "- `old`: O\n- `last`: L\n",
}


@pytest.mark.parametrize("text", LISTED)
def test_an_entry_of_a_list_of_flags_goes(text):
    assert clean(text) == LISTED[text]
    assert clean(text, path="docs/flags.rst") == LISTED[text]
    assert not plan(text).residues


LEFT = [
    "* `new_menu` - alone in its list\n",
    "* `old` - O\n* Turn on `new_menu` - N\n",
    "* `old` - O\n* `new_menu` is not `old`\n",
    "* `old` - O\n* new_menu - N\n",
    "| `old` | O |\n| O | `new_menu` |\n",
    "* `old` - O\n```\n* `new_menu` - N\n```\n",
    "* `old` - O\n* `new_menu_2` - N\n",
]


@pytest.mark.parametrize("text", LEFT)
def test_other_text_stays(text):
    assert clean(text) == text


def test_a_common_word_and_a_changelog_stay():
    text = "* `old` - O\n* `menu` - N\n"
    assert clean(text, flag="menu") == text
    assert plan(text, flag="menu").residues
    text = "* `old` - O\n* `new_menu` - N\n"
    assert clean(text, path="CHANGELOG.md") == text
    assert clean(text, path="docs/notes.txt") == text


def test_an_entry_stays_while_the_code_may_ask_for_the_flag():
    text = "* `old` - O\n* `new_menu` - N\n"
    assert clean(text, code=b'x = flags.is_enabled("new_menu")\n') == "* `old` - O\n"
    asking = b'x = [f(flags) for f in y if f("new_menu", flags.is_enabled)]\n'
    assert clean(text, code=asking) == text
