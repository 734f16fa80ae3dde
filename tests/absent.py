"""What becomes of a test whose client is not to be had? `.ci/run` asks for all of them."""

from __future__ import annotations

import os

import pytest


def absent(reason):
    """Skip the test, or fail where every client has to be there."""
    if os.environ.get("FLAGSTAFF_TESTS") == "complete":
        pytest.fail(reason)
    pytest.skip(reason)
