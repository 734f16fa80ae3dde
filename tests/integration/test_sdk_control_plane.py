"""Do the client and the real server understand each other?"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from contextlib import closing
from time import monotonic, sleep

import pytest

from flagstaff import Client, Mode
from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean

pytestmark = pytest.mark.enable_socket

PATIENCE = 60.0

SERVE = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
serve(load_settings(root=sys.argv[1], port=0), ready=lambda url: print(url, flush=True))
"""

CHILD = """
import os, sys, time, flagstaff
flags = flagstaff.Client.connect(
    sys.argv[1], token_file=sys.argv[2], environment="dev", flush_interval=0.2, cache=None, wait=60
)
pid = os.fork()
assert flags.is_disabled("new_navigation") and flags.readiness().ready
print("off", flush=True)
end = time.monotonic() + 60
while flags.is_disabled("new_navigation"):
    assert time.monotonic() < end
    time.sleep(0.01)
print("on", flush=True)
time.sleep(1)
assert flags.readiness().dropped == 0, "the server refused a report"
if pid == 0:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print("done", flush=True)
"""


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "config/feature_flags/development/new_navigation.yml"
    path.parent.mkdir(parents=True)
    path.write_text("name: new_navigation\ntype: development\ndefault_enabled: false\n")
    return tmp_path


@pytest.fixture
def url(root):
    command = [sys.executable, "-c", SERVE, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.terminate()


def switch(root, url, *, value):
    token = (root / ".flagstaff/token").read_text().strip()
    command = SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=value))
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{url}/api/v1/commands",
        data=json.dumps(encode_command(command)).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
        assert json.load(answer)["ok"] is True


def test_a_command_reaches_a_client_by_the_stream(root, url, tmp_path):
    connection = Client.connect(
        url,
        environment="dev",
        token_file=root / ".flagstaff/token",
        cache=tmp_path / "kept.json",
        flush_interval=0.1,
        wait=PATIENCE,
    )
    with closing(connection) as flags:
        assert flags.readiness().mode is Mode.LIVE
        assert flags.is_disabled("new_navigation")
        began = monotonic()
        switch(root, url, value=True)
        while flags.is_disabled("new_navigation"):
            assert monotonic() - began < PATIENCE
            sleep(0.005)
        assert flags.readiness().mode is Mode.LIVE
        assert flags.evaluate("new_navigation").version == 1
        sleep(0.5)
        assert flags.readiness().dropped == 0


def test_a_forked_child_sees_it_too_and_both_report(root, url):
    command = [sys.executable, "-c", CHILD, url, str(root / ".flagstaff/token")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert [process.stdout.readline() for _ in range(2)] == ["off\n"] * 2
        switch(root, url, value=True)
        assert [process.stdout.readline() for _ in range(2)] == ["on\n"] * 2
        assert process.stdout.readline() == "done\n"
        assert process.wait(PATIENCE) == 0


def definition(**changed):
    lines = {"name": "new_navigation", "type": "development", "default_enabled": "false", **changed}
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def test_an_edited_definition_reaches_a_client_as_a_new_version(root, url):
    connection = Client.connect(
        url,
        environment="dev",
        token_file=root / ".flagstaff/token",
        cache=None,
        flush_interval=0.1,
        wait=PATIENCE,
        application="shop",
        kind="web",
        version="9ce5c1d",
    )
    with closing(connection) as flags:
        before = flags.readiness().version
        path = root / "config/feature_flags/development/new_navigation.yml"
        path.write_text(
            definition(default_enabled="true", variants="[{name: blue, payload: {hex: '#00f'}}]")
        )
        end = monotonic() + PATIENCE
        while flags.readiness().version == before:
            assert monotonic() < end
            sleep(0.01)
        assert flags.readiness().version == before + 1
        assert flags.is_enabled("new_navigation")
        assert flags.variant("new_navigation") == "blue"
        assert flags.payload("new_navigation") == {"hex": "#00f"}
        token = (root / ".flagstaff/token").read_text().strip()
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{url}/api/v1/flags/new_navigation", headers={"Authorization": f"Bearer {token}"}
        )
        while True:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
                processes = json.load(answer)["processes"]
            if any(each["seen"] for each in processes):
                break
            assert monotonic() < end
            sleep(0.05)
        (process,) = processes
        assert process["snapshot_version"] == before + 1
        assert (process["application"], process["kind"], process["version"]) == (
            "shop",
            "web",
            "9ce5c1d",
        )
