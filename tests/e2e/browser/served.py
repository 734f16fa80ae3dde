"""A project of several flags, a real server for it, and its rollouts, for people with browsers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2

import flagstaff
from git_sandbox import SURROUNDINGS, GitSandbox

PATIENCE = 120
SURE = "Yes, in production"
SETTINGS = """\
policies: {consistency: false, allow_random: true}
renames:
  - {flag: guarded, old: OldJob, new: NewJob}
guards:
  - {name: jobs, flag: guarded, jobs: log/jobs.jsonl}
commands: {smoke: {run: [test, -f, ready]}}
"""
DEFINITION = """\
name: {}
type: development
default_enabled: false
group: group::shop
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""
FLAGS = (
    *("approved", "by_keyboard", "plain_forms", "pasted", "held", "aborted", "switched", "asked"),
    *("undone", "searched", "guarded", "shown", "waiting", "typed", "rejected", "skipped"),
    *("edited", "filtered", "planned", "commanded", "kept", "late", "palette_flag"),
    *("ticked", "retried", "promoted", "followed", "told", "charted"),
)
CODE = """\
import flagstaff

flags = flagstaff.Client.connect("http://localhost")


def navigation():
    if flags.is_enabled("shown"):
        return ["cart", "search"]
    return ["cart"]
"""
PLAN = """\
flag: {flag}
announce_to: []
steps:
  - {{stage: Staging, set: {{boolean: true, environments: [dev, staging]}}}}
  - {{id: tried, approve: Does it work on staging?}}
  - {{stage: Production, set: {{percentage_of_actors: 25}}}}
  - {{id: sure, approve: For everybody?}}
  - {{id: all, set: true}}
"""
FAILING = """\
flag: {flag}
announce_to: []
steps:
  - {{id: smoke, run: smoke}}
  - {{id: sure, approve: For everybody?}}
"""
LONG = """\
flag: {flag}
announce_to: []
steps:
  - {{id: calm, wait: 3d}}
  - {{id: sure, approve: For everybody?}}
"""
ISSUE = """\
# Roll out `{flag}`

## Staging

- [ ] `/chatops run feature set {flag} true --dev --staging`
- [ ] Verify that it works on staging.

## Production

- [ ] `/chatops run feature set {flag} 25 --actors`
- [ ] `/chatops run feature set {flag} true`
"""


class Served:
    """A server in a folder of its own, as `flagstaff server` starts it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        folder = root / "config/feature_flags/development"
        folder.mkdir(parents=True)
        for name in FLAGS:
            (folder / f"{name}.yml").write_text(DEFINITION.format(name))
        (root / "flagstaff.yml").write_text(SETTINGS)
        (root / "shop.py").write_text(CODE)
        (root / "log").mkdir()
        lines = [{"class": c, "job_status": "done"} for c in ("OldJob", "NewJob") * 200]
        (root / "log/jobs.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
        git = GitSandbox(root)
        git.git("add", "config", "flagstaff.yml", "shop.py")
        git.git("commit", "-qm", "The project")
        ours = {name: text for name, text in os.environ.items() if "FLAGSTAFF" not in name}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flagstaff", "server", "--port", "0", "--json"],
            cwd=root,
            env={**ours, **SURROUNDINGS, "FLAGSTAFF_PERSON": "ada"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = json.loads(self._process.stdout.readline())["url"]
        token = (root / ".flagstaff/token").read_text().strip()
        self._client = httpx2.Client(
            base_url=self.url, timeout=PATIENCE, headers={"authorization": f"Bearer {token}"}
        )

    def command(self, kind: str, **words: object) -> dict:
        """Carry out a command as a program does and return what it answers."""
        answer = self._client.post("/api/v1/commands", json={"kind": kind, **words})
        assert answer.status_code < 300, answer.text
        return answer.json()

    def rollout(self, flag: str, *, until: str = "waiting", plan: str = PLAN) -> int:
        """Begin the rollout of a flag and return its number as soon as it waits for a person."""
        found = self.command("PlanRollout", text=plan.format(flag=flag), start=True)
        number = found["data"]["rollout"]
        self.until(number, until)
        return number

    def connect(self, **options: str) -> flagstaff.Client:
        """Return the client of an application in production."""
        file = str(self.root / ".flagstaff/token")
        return flagstaff.Client.connect(
            self.url, token_file=file, environment="production", **options
        )

    def until(self, number: int, phase: str) -> dict:
        """Wait for a rollout to be in a phase and return it."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.shown(number))["phase"] != phase:
            assert time.monotonic() < deadline, f"not {phase}: {found}"
            time.sleep(0.05)
        return found

    def shown(self, number: int) -> dict:
        return self._client.get(f"/api/v1/rollouts/{number}").json()

    def close(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)
