"""Is every command of the grammar in the terminal too?"""

from __future__ import annotations

from flagstaff.cli.root import TABLE
from flagstaff.commands.grammar import GROUPS


def test_the_terminal_has_all_that_chat_has():
    assert {group.name for group in GROUPS} <= set(TABLE)
