"""Which programs of a project may a rollout run?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCommand:
    """A program under `commands:` in `flagstaff.yml`, which plans and issues name.

    Attributes:
        run: Its words; no shell reads them.
        folder: Where it runs, from the project's root.
        timeout: How long it may take before it is stopped.
        environment: Variables of the server's environment that it gets to see, besides a few
            harmless ones.
    """

    run: tuple[str, ...]
    folder: str = "."
    timeout: timedelta = timedelta(minutes=2)
    environment: tuple[str, ...] = ()
