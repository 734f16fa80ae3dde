"""Whatever the OpenAPI document allows, and much that it does not, is answered as it says.

To look longer: `FLAGSTAFF_EXAMPLES=200 pytest tests/integration/test_rest_schemathesis.py`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.timeout(7_200),
]

EXAMPLES = os.environ.get("FLAGSTAFF_EXAMPLES", "4")
SEED = os.environ.get("FLAGSTAFF_SEED", "20260302")
DEFINITION = "name: {name}\ntype: development\ndefault_enabled: false\n"

# A schema cannot say which flags and environments there are, when a reason is needed, and which
# expression is one. So a request that has the right form may still be refused.
SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 409, 412, 422, 501, 503]
"""
THERE = """
[parameters]
"path.name" = "new_navigation"
"path.environment" = "dev"
"path.number" = 1
"path.entry" = 1
"""


@pytest.fixture
def server(git_sandbox, tmp_path):
    root = git_sandbox.root
    for name in ("new_navigation", "old_search"):
        path = root / f"config/feature_flags/development/{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DEFINITION.format(name=name))
    git_sandbox.git("add", "config")
    git_sandbox.git("commit", "-qm", "Add flags")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("rest_server.py")), str(root)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        url = process.stdout.readline().strip()
        assert url, (tmp_path / "log").read_text()
        token = (root / ".flagstaff/token").read_text().strip()
        yield url, token
        assert process.poll() is None, "the server has ended"
        process.terminate()
        process.communicate(timeout=60)


def ask(url, token, path):
    headers = {"authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/api/v1{path}", headers=headers)  # noqa: S310 our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 as above
        return json.load(answer)


@pytest.mark.parametrize(
    ("settings", "phases"),
    [(SETTINGS, "fuzzing,stateful"), (SETTINGS + THERE, "examples,coverage,fuzzing,stateful")],
    ids=["anything", "what is there"],
)
def test_schemathesis_finds_nothing(server, tmp_path, settings, phases):
    url, token = server
    file = tmp_path / "schemathesis.toml"
    file.write_text(settings)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(file), "run"),
            f"{url}/api/v1/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            # These two never end.
            *("--exclude-path-regex", "(/events|/stream)$"),
            *("--phases", phases, "--checks", "all", "--max-examples", EXAMPLES, "--seed", SEED),
            *("--request-timeout", "120"),
            *("--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    selected, known = map(int, re.search(r"Selected: (\d+)/(\d+)", done.stdout).groups())
    assert known - selected == 2  # the two streams, which never end
    check_consistent(url, token)


def check_consistent(url, token):
    """Whatever was written, everything can still be read, and the log is whole."""
    assert ask(url, token, "/audit/verification")["ok"] is True
    for rollout in ask(url, token, "/rollouts?limit=1000"):
        ask(url, token, f"/rollouts/{rollout['id']}")
    for flag in ask(url, token, "/flags?limit=1000"):
        assert flag["environments"]
    for environment in ask(url, token, "/environments"):
        ask(url, token, f"/environments/{environment['name']}/snapshot")
