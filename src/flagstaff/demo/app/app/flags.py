"""Which features are on?"""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import cached_property
from typing import Protocol

import flagstaff

from app.settings import ROOT

_asked: ContextVar[tuple[str, ...]] = ContextVar("asked", default=())


class Client(Protocol):
    """The part of `flagstaff.Client` used here."""

    def is_enabled(self, name: str) -> bool:
        """Say whether the flag is on."""


def connect() -> Client:
    """Ask the Flagstaff that the environment names; without one the definitions decide."""
    environment = os.environ.get("FLAGSTAFF_ENVIRONMENT", "development")
    url = os.environ.get("FLAGSTAFF_URL")
    if url is None:
        return flagstaff.Client.from_files(ROOT / "config/feature_flags", environment=environment)
    token_file = os.environ.get("FLAGSTAFF_TOKEN_FILE")
    return flagstaff.Client.connect(url, token_file=token_file, environment=environment)


class Flags:
    """Asks the client, and remembers the answers for the log line of the job that follows."""

    @cached_property
    def client(self) -> Client:
        return connect()

    def is_enabled(self, name: str) -> bool:
        enabled = self.client.is_enabled(name)
        _asked.set((*_asked.get(), f"{name}:{int(enabled)}"))
        return enabled

    def take_states(self) -> list[str]:
        """Return the answers since the last call, such as `["some_flag:1"]`."""
        states = list(dict.fromkeys(_asked.get()))
        _asked.set(())
        return states


flags = Flags()
