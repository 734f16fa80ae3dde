"""A rollout is begun from a plan in YAML, edited while it holds 10 %, and goes on to its end."""

from __future__ import annotations

import json

import pytest
import yaml
from test_cli_terminal import Terminal

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

DEFINITION = """\
name: new_navigation
type: ops
default_enabled: false
group: group::navigation
"""
PLAN = """\
flag: new_navigation
title: The new navigation
steps:
- set: {boolean: true, environments: [staging]}
- {id: hold, bake: 600d}
- {id: sure, approve: For everybody?}
- set: true
"""


@pytest.fixture
def terminal(tmp_path):
    made = Terminal(tmp_path)
    made.done("init")
    folder = tmp_path / "config/feature_flags/ops"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "new_navigation.yml").write_text(DEFINITION)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/nav.yml").write_text(
        PLAN.replace(
            "- {id: hold",
            "- set: {percentage_of_actors: 10, environments: [production]}\n- {id: hold",
        )
    )
    yield made
    made.close()


def refused(terminal, edited, shown, words):
    """Check that what is over stays: another first step is refused."""
    shown["steps"][0]["set"]["environments"] = ["dev"]
    edited.write_text(yaml.safe_dump(shown, sort_keys=False))
    code, _, err = terminal.run(*words, "--yes")
    assert code == 2
    assert "step set-staging is over and cannot change" in err


def quicker(terminal, number, edited):
    """Write the plan of the rollout with a shorter wait and one more step, and return it."""
    shown = yaml.safe_load(terminal.done("plan", "show", str(number), "--yaml"))
    for step in shown["steps"]:
        if step["id"] == "hold":
            step["bake"] = "1s"
            step.pop("title", None)
    at = [step["id"] for step in shown["steps"]].index("sure")
    half = {"percentage_of_actors": 50, "environments": ["production"]}
    shown["steps"].insert(at, {"id": "half", "set": half})
    edited.write_text(yaml.safe_dump(shown, sort_keys=False))
    return shown


@pytest.mark.slow
def test_from_yaml_through_an_edit_to_the_end(terminal):
    plan = "plans/nav.yml"
    assert "needs: a person says yes" in terminal.done("plan", "show", plan)
    code, out, _ = terminal.run("plan", "check", plan)
    assert (code, "no guard watches" in out) == (1, True)

    _, terminal.url = terminal.serve()
    rehearsed = terminal.data("rollout", "start", "new_navigation", "--plan", plan, "--dry-run")
    assert rehearsed["schedule"]["seconds"] == 600 * 86400
    assert terminal.data("rollout", "list")["rollouts"] == []
    started = terminal.data("rollout", "start", "new_navigation", "--plan", plan)
    number = started["rollout"]
    terminal.until(number, "running", "hold")

    edited = terminal.root / "edited.yml"
    shown = quicker(terminal, number, edited)
    words = ("rollout", "edit", str(number), "--plan", "edited.yml", "--reason", "quicker")

    code, _, err = terminal.run(*words)
    assert (code, "--yes" in err) == (2, True)
    assert "+- id: half" in terminal.done(*words, "--dry-run")
    assert "1 steps added" in terminal.done(*words, "--yes")
    terminal.until(number, "waiting", "sure")
    log = terminal.done("audit", "list", "--rollout", str(number))
    assert "plan edited: 1 steps added, 0 taken out, 1 changed" in log

    refused(terminal, edited, shown, words)
    terminal.done("rollout", "approve", str(number))
    terminal.until(number, "completed")
    gates = json.loads(terminal.done("feature", "get", "new_navigation", "--json"))
    assert "on" in json.dumps(gates["data"])


@pytest.mark.slow
def test_an_edit_in_an_editor_is_kept_when_it_is_refused(terminal):
    _, terminal.url = terminal.serve()
    number = terminal.data("rollout", "start", "new_navigation", "--plan", "plans/nav.yml")[
        "rollout"
    ]
    terminal.until(number, "running", "hold")
    editor = terminal.root / "editor.sh"
    editor.write_text(
        '#!/bin/sh\nsed -i "s/boolean: true, environments: .staging/x: 1, y: [s/" $1\n'
    )
    editor.chmod(0o755)
    code, _, err = terminal.run(
        "rollout", "edit", str(number), "--reason", "r", EDITOR=str(editor), VISUAL=str(editor)
    )
    assert code == 2, err
    assert "has the unknown key 'x'" in err
    kept = terminal.root / f"rollout-{number}-plan-1.yml"
    assert str(kept.name) in err
    assert "x: 1" in kept.read_text()
