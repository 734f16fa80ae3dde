"""A server of a small project whose rollout is guarded, as a process, and a terminal for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from shown import shown

PATIENCE = 300.0
ISSUE = """# [Feature flag] Rollout of `checkout_v2`

## Rollout Steps

- [ ] `/chatops run feature set checkout_v2 50 --actors`
- [ ] Wait for 8 seconds
- [ ] `/chatops run feature set checkout_v2 75 --actors`
- [ ] Wait for 1 hour
"""
SCRIPT = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
serve(load_settings(root=sys.argv[1], port=0), ready=lambda url: print(url, flush=True))
"""


def project(root, settings="", issue=ISSUE, *, flag="checkout_v2", kind="development"):
    """Write the definition of the flag, the issue of its rollout and the settings."""
    path = root / f"config/feature_flags/{kind}/{flag}.yml"
    path.parent.mkdir(parents=True)
    path.write_text(f"name: {flag}\ntype: {kind}\ndefault_enabled: false\n")
    (root / "issue.md").write_text(issue)
    if settings:
        (root / "flagstaff.yml").write_text(settings)
    return root


class Server:
    """The server as a process that can be killed."""

    def __init__(self, root):
        self.root = root
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(self.root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://")

    def kill(self):
        self.process.kill()
        self.process.communicate()


def flagstaff(root, *words):
    process = subprocess.run(
        [sys.executable, "-m", "flagstaff", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode in {0, 4}, process.stdout + process.stderr
    return process.stdout


def points(root):
    """Return what the first guard said, poll by poll."""
    found = json.loads(flagstaff(root, "rollout", "evidence", "1", "--json"))
    return found.get("data", found)["guards"][0]["points"]


def until(root, holds):
    end = time.monotonic() + PATIENCE
    while not holds(found := shown(root)):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


def start(root):
    flagstaff(root, "rollout", "import", "issue.md")
    flagstaff(root, "rollout", "start", "1")


def is_over(found):
    return found["phase"] not in {"pending", "running", "waiting"}
