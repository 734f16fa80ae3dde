"""How is one flag asked with the least work?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from flagstaff.flags.compile import Compiled
from flagstaff.flags.evaluation import Evaluation
from flagstaff.flags.fast import Check


class FlagHandle(Protocol):
    """One flag of one client, asked by calling it with the actors."""

    name: str
    evaluate: Callable[..., Evaluation]

    def __call__(self, *actors: object) -> bool:
        """Return whether the flag is on."""

    def is_enabled(self, *actors: object) -> bool:
        """Return whether the flag is on."""


def make_handle(
    name: str,
    evaluate: Callable[..., Evaluation],
    otherwise: Callable[[Exception], bool],
) -> tuple[FlagHandle, Callable[[Compiled], None]]:
    """Return a handle, and what tells it about a new snapshot.

    Args:
        name: of the flag.
        evaluate: answers with the reason.
        otherwise: answers when the flag is unknown or fails.
    """

    def undefined(_actors: tuple[object, ...]) -> bool:
        raise KeyError(name)

    check: Check = undefined

    # A function and not an object with `__call__`: the interpreter calls it without leaving itself.
    def handle(*actors: object) -> bool:
        try:
            return check(actors)
        except Exception as exc:  # noqa: BLE001 - an application must not fail over a flag
            return otherwise(exc)

    def follow(compiled: Compiled) -> None:
        nonlocal check
        check = compiled.checks.get(name, undefined)

    made = cast("FlagHandle", handle)
    made.name, made.evaluate = name, evaluate
    made.is_enabled = made  # type: ignore[method-assign]
    return made, follow
