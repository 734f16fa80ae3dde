"""A team moves: the export of each system, a real server, and what the terminal says about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_cli_terminal import Terminal

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

SAMPLES = Path(__file__).parents[1] / "unit/importers/samples"
SYSTEMS = {
    "unleash": "unleash_client.json",
    "flipper": "flipper.json",
    "waffle": "waffle.json",
    "launchdarkly": "launchdarkly_file.json",
    "growthbook": "growthbook.json",
}


@pytest.fixture(params=SYSTEMS)
def system(request):
    return request.param


def served(root):
    made = Terminal(root)
    made.done("init")
    with (root / "flagstaff.yml").open("a") as file:
        file.write("policies: {allow_random: true}\n")
    try:
        _, made.url = made.serve()
        yield made
    finally:
        made.close()


@pytest.fixture
def terminal(tmp_path):
    yield from served(tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """Return a terminal whose server keeps no flag: for tests that change nothing."""
    yield from served(tmp_path_factory.mktemp("untouched"))


@pytest.mark.slow
def test_an_export_becomes_flags(terminal, system):
    words = ("feature", "import", str(SAMPLES / SYSTEMS[system]), "--environment", "dev")
    words += ("--sample", "500", "--write-definitions")

    rehearsed = json.loads(terminal.done(*words, "--dry-run", "--json"))
    assert rehearsed["data"]["system"] == system
    assert "nothing was changed (dry run)" in rehearsed["text"]
    assert terminal.rows()["flag_state"] == 0
    assert not list(terminal.root.glob("config/feature_flags/*/*.yml"))

    code, out, err = terminal.run(*words)
    assert (code, out) == (2, ""), err
    assert "would change" in err
    assert terminal.rows()["flag_state"] == 0
    assert not list(terminal.root.glob("config/feature_flags/*/*.yml"))

    done = json.loads(terminal.done(*words, "--yes", "--json"))
    told = done["data"]["environments"]["dev"]["flags"]
    assert told == rehearsed["data"]["environments"]["dev"]["flags"]
    listed = terminal.data("feature", "list", "--dev")["dev"]
    assert {name: each["gates"] for name, each in listed.items()} == {
        name: each["gates"] for name, each in told.items()
    }
    audited = terminal.done("audit", "list", "--action", "flag.import", "--limit", "1000")
    assert audited.count(f"imported from {system} in dev") == len(told)

    again = terminal.done(*words, "--yes")
    assert f"dev: 0 of {len(told)} flags changed" in again


def test_losses_are_accepted_only_when_that_is_said(untouched):
    words = ("flag", "import", str(SAMPLES / "growthbook.json"), "--environment=dev")
    words += ("--sample=100", "--dry-run")
    careful, bold = untouched.data(*words), untouched.data(*words, "--accept-loss")
    left = {each["theirs"] for each in careful["environments"]["dev"]["left_out"]}
    assert left == {"pattern", "pattern-off", "namespaced", "nested", "colour"}
    assert not left & careful["environments"]["dev"]["flags"].keys()
    assert bold["environments"]["dev"]["left_out"] == []
    pattern = bold["environments"]["dev"]["flags"]["pattern"]
    assert pattern["fate"] == "partly"
    assert "$.features.pattern.rules[0]" in pattern["losses"][0]


def test_a_definition_is_written_over_only_with_yes(terminal):
    export = {
        "version": 2,
        "features": [
            {
                "name": "x",
                "enabled": True,
                "strategies": [
                    {
                        "name": "flexibleRollout",
                        "parameters": {"rollout": "50", "stickiness": "userId", "groupId": "x"},
                    }
                ],
            }
        ],
    }
    (terminal.root / "export.json").write_text(json.dumps(export))
    file = terminal.root / "config/feature_flags/ops/x.yml"
    file.parent.mkdir(parents=True)
    file.write_text("name: x\ntype: ops\ndefault_enabled: false\n")
    words = ("feature", "import", "export.json", "--environment=dev", "--write-definitions")
    words += ("--sample=400",)
    kept = terminal.done(*words, "--dry-run")
    assert "its definition says otherwise" in kept
    assert terminal.run(*words)[0] == 2
    assert "murmur3" not in file.read_text()

    found = json.loads(terminal.done(*words, "--yes", "--json"))["data"]["total"]
    assert "bucketing: murmur3" in file.read_text()
    assert (found["unchanged"], found["gain"], found["lose"]) == (400, 0, 0)


def test_mistakes_change_nothing(untouched):
    broken = untouched.root / "broken.json"
    broken.write_text('{"version": 2, "features": [{"name": "x", "enabled": 3}]}')
    for words, what in (
        (("broken.json",), "$.features[0].enabled: 3 is not true or false"),
        (("nowhere.json",), "cannot be read"),
        ((str(SAMPLES / "flipper.json"),), "--environment production"),
        ((str(SAMPLES / "flipper.json"), "--environment=dev"), "--write-definitions"),
        ((str(SAMPLES / "flipper.json"), "--actors", "a", "--sample", "1"), "leave one of them"),
    ):
        code, out, err = untouched.run("feature", "import", *words)
        assert (code, out) == (2, ""), err
        assert what in err
    assert untouched.rows()["flag_state"] == 0


def test_attributes_of_real_actors_are_looked_at(untouched):
    listed = untouched.root / "actors.jsonl"
    listed.write_text('{"id": "User:1", "plan": "gold"}\nUser:2\n')
    words = ("feature", "import", str(SAMPLES / "unleash_client.json"), "--environment=dev")
    text = untouched.done(*words, "--match=gold", "--actors", str(listed), "--dry-run")
    assert "2 actors in" in text
    assert "in all, of 8 answers" in text
