"""How is a flag kept from asking about itself?"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from flagstaff.flags.evaluation import Gate

LIMIT = 10
"""How many flags may wait for each other's answers."""

Decide = Callable[[tuple[object, ...]], Gate]
_asking: ContextVar[tuple[str, ...]] = ContextVar("flagstaff_asking", default=())


def guarded(flag: str, decide: Decide) -> Decide:
    """Return `decide` with a guard: asked again inside its own answer, the default decides.

    Needed for flags that run the application's code or ask other flags; the others cannot recurse.
    """

    def decide_once(actors: tuple[object, ...]) -> Gate:
        asking = _asking.get()
        if flag in asking or len(asking) >= LIMIT:
            return Gate.DEFAULT
        token = _asking.set((*asking, flag))
        try:
            return decide(actors)
        finally:
            _asking.reset(token)

    return decide_once
