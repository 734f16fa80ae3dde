"""Flagstaff again, through handles that were bound to their flags before."""

from __future__ import annotations

from peers import ours
from peers.common import EXPECTED

__all__ = ["EXPECTED", "calls"]


def calls(flags: int):
    bound = ours.calls(flags)
    client, _source = ours._kept[0]
    return {
        scenario: (client.flag(arguments[0]), arguments[1:])
        for scenario, (_ask, arguments) in bound.items()
    }
