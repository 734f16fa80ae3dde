"""Which incident is being rehearsed?

`DEMO_BREAK=new-workers` makes the renamed jobs fail as if their settings had been forgotten.
"""

from __future__ import annotations

from app.settings import settings


def rehearse(incident: str) -> None:
    """Fail when this incident is the one to rehearse.

    Raises:
        LookupError: the settings of the job are "missing".
    """
    if settings.incident == incident:
        raise LookupError(f"no settings found (rehearsal of {incident})")
