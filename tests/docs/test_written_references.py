"""The pages about the REST API and the terminal say what these say of themselves."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("write_rest_reference", "PUT /flags/{name}/environments/{environment}/gates"),
        ("write_terminal_reference", "Usage: flagstaff rollout abort [OPTIONS] ID"),
    ],
)
def test_a_page_is_what_its_script_writes(name, part):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"scripts/{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    told = script.PAGE.read_text()
    assert told == script.page(), f"run: python scripts/{name}.py"
    assert part in told
