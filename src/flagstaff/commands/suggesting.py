"""Which command would a person likely want for a rollout now?"""

from __future__ import annotations


def next_command(rollout: int, phase: str, *, failed: bool) -> str:
    """Return the command, an empty text when none is due.

    `failed` says that the step at hand has: nothing goes on then before it is tried again.
    """
    verb = {
        "pending": "start",
        "waiting": "approve",
        "paused": "retry" if failed else "resume",
        "expired": "resume",
    }.get(phase)
    return f"flagstaff rollout {verb} {rollout}" if verb else ""
