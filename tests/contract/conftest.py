"""What do the tests with the clients of others need?"""

from __future__ import annotations

import pytest
from real_server import define, run_edge, run_server

BUTTON = """\
variants:
  - {name: blue, payload: {hex: "#00f"}}
  - {name: red, payload: {hex: "#f00"}}
"""


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    for name in ("new_navigation", "dark_mode", "new_search"):
        define(root, name)
    define(root, "old_search", default=True)
    define(root, "button", BUTTON)
    # Without a staging, production waits for nothing.
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\npolicies: {allow_random: true}\n"
    )
    yield from run_server(root)


@pytest.fixture(scope="module", params=["control plane", "edge"])
def place(request, control, tmp_path_factory):
    """Return where applications ask: the control plane itself, or an edge of it."""
    if request.param == "edge":
        yield from run_edge(control, tmp_path_factory.mktemp("edge"))
    else:
        yield control


@pytest.fixture(scope="module")
def server(control):
    """Return the server that is talked to; what only reads asks for `place` instead."""
    return control
