"""The page about the REST API says what the OpenAPI document says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_script_writes():
    place = ROOT / "scripts/write_rest_reference.py"
    spec = importlib.util.spec_from_file_location("write_rest_reference", place)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    told = script.PAGE.read_text()
    assert told == script.page(), "run: python scripts/write_rest_reference.py"
    assert "PUT /flags/{name}/environments/{environment}/gates" in told
