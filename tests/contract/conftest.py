"""What do the tests with the clients of others need?"""

from __future__ import annotations

import pytest
from real_server import define, run_server

BUTTON = """\
variants:
  - {name: blue, payload: {hex: "#00f"}}
  - {name: red, payload: {hex: "#f00"}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    for name in ("new_navigation", "dark_mode", "new_search"):
        define(root, name)
    define(root, "old_search", default=True)
    define(root, "button", BUTTON)
    # Without a staging, production waits for nothing.
    (root / "flagstaff.yml").write_text("environments: [dev, production]\n")
    yield from run_server(root)
