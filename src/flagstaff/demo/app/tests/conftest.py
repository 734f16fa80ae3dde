"""How do the tests run without a broker, a log folder or a flag server?"""

from __future__ import annotations

import os
import tempfile

os.environ["BROKER_URL"] = "memory://"
os.environ["LOG_FOLDER"] = tempfile.mkdtemp(prefix="integrations-log-")
os.environ["JOBS_PER_SECOND"] = "0"

import pytest

from app.flags import flags


class AllFlags:
    """Answers the same for every flag."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled

    def is_enabled(self, _name: str) -> bool:
        return self._enabled


@pytest.fixture(params=[False, True], ids=["all flags off", "all flags on"])
def any_flags(request, monkeypatch):
    monkeypatch.setitem(flags.__dict__, "client", AllFlags(request.param))


@pytest.fixture
def all_flags_on(monkeypatch):
    monkeypatch.setitem(flags.__dict__, "client", AllFlags(True))
