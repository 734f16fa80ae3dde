"""What does a rollout's thread need of a chat program?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flagstaff.services.views import RolloutView, StepView

Parts = Sequence[Mapping[str, Any]]
"""What a message has beside its text, in the chat program's own shape."""


class Posted(Protocol):
    """Where a message is; `ts` is the chat program's own name of it."""

    @property
    def ts(self) -> str:
        """Return its name."""
        ...


class Room(Protocol):
    """Shows rollouts in a channel, each message once.

    Every method may raise `Unavailable`, which is "later", and `Refused`.
    """

    def escaped(self, text: str) -> str:
        """Return a text that notifies nobody."""
        ...

    def headline(self, view: RolloutView, address: str) -> tuple[str, Parts]:
        """Return how the first message of a rollout's thread reads."""
        ...

    def question(self, view: RolloutView, step: StepView) -> tuple[str, Parts]:
        """Return what is asked in the thread, with the buttons to answer."""
        ...

    def show_once(
        self, key: str, channel: str, text: str, parts: Parts = (), *, thread: str = ""
    ) -> Posted:
        """Post a message unless the one with this key is there; return where it is."""
        ...

    def show(self, key: str, text: str, parts: Parts = ()) -> None:
        """Let the message with this key read like this; if it does already, nothing is sent."""
        ...
