"""A real server process: it says where it is, streams, survives being killed, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 180.0
SCRIPT = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
def ready(url):
    print(url, flush=True)
try:
    serve(load_settings(root=sys.argv[1], port=int(sys.argv[2])), ready=ready)
except Exception as exc:
    sys.exit(f"{type(exc).__name__}: {exc}")
print("ended", flush=True)
"""
DEFINITION = "name: new_navigation\ntype: development\ndefault_enabled: false\n"
Starting = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "config/feature_flags/development/new_navigation.yml"
    path.parent.mkdir(parents=True)
    path.write_text(DEFINITION)
    return tmp_path


@pytest.fixture
def start(root: Path) -> Iterator[Starting]:
    begun: list[subprocess.Popen[str]] = []

    def starting(port: int = 0) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(root), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield starting
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline().strip()
    assert line.startswith("http://127.0.0.1:"), process.stderr.read()
    return line


def ask(root: Path, path: str, body: Any = None) -> Any:
    told = json.loads((root / ".flagstaff/server.json").read_text())
    token = (root / ".flagstaff/token").read_text().strip()
    request = urllib.request.Request(  # noqa: S310
        told["url"] + "/api/v1" + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    return urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310


def switch(root: Path, value: bool) -> None:  # noqa: FBT001
    command = SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=value))
    with ask(root, "/commands", encode_command(command)) as answer:
        assert json.load(answer)["ok"] is True


def events(stream: Any) -> Iterator[dict[str, str]]:
    found: dict[str, str] = {}
    for raw in stream:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name:
            found[name] = value
        elif found:
            yield found
            found = {}


def test_a_stream_brings_changes_and_ends_at_once_when_the_server_does(root, start):
    process = start()
    url_of(process)
    assert json.loads((root / ".flagstaff/server.json").read_text())["pid"] == process.pid
    with ask(root, "/environments/dev/stream") as stream, ask(root, "/events") as names:
        assert stream.headers["content-type"].startswith("text/event-stream")
        coming, named = events(stream), events(names)
        assert json.loads(next(coming)["data"])["version"] == 0
        assert next(named)["event"] == "connected"
        switch(root, value=True)
        changed = next(coming)
        assert (changed["event"], changed["id"]) == ("snapshot", "1")
        assert json.loads(changed["data"])["flags"]["new_navigation"]["gates"]["boolean"] is True
        assert next(named) == {"event": "changed", "data": "flags:dev"}
        process.send_signal(signal.SIGTERM)
        assert list(coming) == []
        assert process.wait(PATIENCE) == 0
    assert process.stdout.read() == "ended\n"
    assert process.stderr.read() == ""
    assert not (root / ".flagstaff/server.json").exists()


def test_what_was_answered_survives_kill_and_the_token_stays(root, start):
    process = start()
    first = url_of(process)
    token = (root / ".flagstaff/token").read_text()
    switch(root, value=True)
    process.kill()
    process.wait(PATIENCE)
    again = start(int(first.rpartition(":")[2]))
    assert url_of(again) == first
    assert (root / ".flagstaff/token").read_text() == token
    with ask(root, "/environments/dev/snapshot") as answer:
        found = json.load(answer)
    assert found["version"] == 1
    assert found["flags"]["new_navigation"]["gates"]["boolean"] is True


def test_a_second_server_names_the_first_and_leaves(root, start):
    process = start()
    url_of(process)
    second = start()
    assert second.wait(PATIENCE) == 1
    assert f"process {process.pid} already serves" in second.stderr.read()
    with ask(root, "/rollouts") as answer:
        assert json.load(answer) == []


def test_a_port_in_use_is_said(root, start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(port)
        assert process.wait(PATIENCE) == 1
        assert f"port {port} of 127.0.0.1 cannot be used" in process.stderr.read()
    assert not (root / ".flagstaff/server.json").exists()


def test_the_dashboard_is_there_and_the_api_is_not_without_the_token(start):
    process = start()
    url = url_of(process)
    with urllib.request.urlopen(f"{url}/flags", timeout=PATIENCE) as page:  # noqa: S310
        assert b"new_navigation" in page.read()
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"{url}/api/v1/flags", timeout=PATIENCE)  # noqa: S310
    refused.value.close()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) == 0


def offered(folder: Path, *words: str) -> list[str]:
    """Return what `bash` is told to offer in the place of the last word."""
    asking = {
        "_FLAGSTAFF_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["flagstaff", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "flagstaff"],
        cwd=folder,
        env={**os.environ, **asking},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_the_shell_offers_flags_rollouts_and_steps(root, start):
    assert offered(root, "feature", "set", "new") == ["new_navigation"]
    assert offered(root, "rollout", "approve", "") == []  # no server is known
    url_of(start())
    issue = (
        "# Enable `new_navigation`\n\n## Rollout\n\n"
        "- [ ] Verify that it works.\n- [ ] `/chatops run feature set new_navigation true --dev`\n"
    )
    with ask(root, "/rollouts", {"text": issue, "start": True}) as answer:
        number = str(json.load(answer)["data"]["rollout"])
    with ask(root, f"/rollouts/{number}") as answer:
        steps = [each["id"] for each in json.load(answer)["steps"]]
    below = root / "config"
    assert offered(below, "flag", "get", "") == ["new_navigation"]
    assert offered(below, "cleanup", "new") == ["new_navigation"]
    assert offered(below, "rollout", "approve", "") == [number]
    assert offered(below, "rollout", "approve", "7") == []
    assert offered(below, "rollout", "approve", number, "--step", "") == steps
    assert offered(below, "rollout", "approve", number, "--step", steps[0][:3]) == [
        each for each in steps if each.startswith(steps[0][:3])
    ]
    with ask(root, f"/rollouts/{number}/abort", {"reason": "done"}) as answer:
        answer.read()
    assert offered(below, "rollout", "approve", "") == []
    assert offered(below, "rollout", "show", "") == [number]
