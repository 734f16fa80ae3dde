"""Are the commands of a project read as they were written, and all that is wrong said?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.definitions import ProjectCommand, load_project
from flagstaff.errors import DefinitionError


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "flagstaff.yml").write_text(text)
        return load_project(tmp_path)

    return read


def test_both_forms_are_read(read):
    project = read("""
commands:
  smoke-test: {run: "./smoke.sh --fast 'two words'"}
  migrate:
    run: [python, -c, "print(1)"]
    folder: tools
    timeout: 10m
    environment: [DEPLOY_TOKEN]
private_hosts: [Status.internal, 10.0.0.7]
expiry: 7d
""")
    assert project.commands == {
        "smoke-test": ProjectCommand(run=("./smoke.sh", "--fast", "two words")),
        "migrate": ProjectCommand(
            run=("python", "-c", "print(1)"),
            folder="tools",
            timeout=timedelta(minutes=10),
            environment=("DEPLOY_TOKEN",),
        ),
    }
    assert project.private_hosts == ("status.internal", "10.0.0.7")
    assert project.expiry == timedelta(days=7)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("smoke: {}", "has no `commands.smoke.run`"),
        ("smoke: {run: 'a \"b'}", "is no command"),
        ("smoke: {run: a, folder: ../elsewhere}", "not inside the project"),
        ("smoke: {run: a, folder: /etc}", "not inside the project"),
        ("smoke: {run: a, timeout: 7h}", "is no time for a command"),
        ("smoke: {run: a, environment: [1x]}", "no name of a variable"),
        ("smoke: {run: a, shell: true}", "unknown key"),
        ("smoke: ./smoke.sh", "not a mapping"),
        ("'two words': {run: a}", "is no name of a command"),
    ],
)
def test_what_is_wrong_is_said(read, entry, says):
    with pytest.raises(DefinitionError) as caught:
        read(f"commands:\n  {entry}\n")
    assert any(says in each.what for each in caught.value.problems)


def test_a_host_is_no_address(read):
    with pytest.raises(DefinitionError, match="is no host"):
        read("private_hosts: ['http://status.internal/']\n")
