"""Which flags does every peer get?"""

from __future__ import annotations

BOOLEAN = "boolean_flag"
PERCENTAGE = "percentage_flag"
LISTED = "listed_flag"
RULE = "rule_flag"

ACTORS = [f"user-{number}" for number in range(1_000)]
LISTED_ACTOR = ACTORS[500]
ASKED = "user-4711"
"""Falls outside nothing in particular: whether a share is open for it differs between peers."""

EXPECTED = {"boolean": True, "list of 1,000 actors": True}


def fillers(flags: int) -> list[str]:
    """Return the names of boolean flags that make the number of flags up."""
    return [f"filler_{number}" for number in range(max(0, flags - 4))]
