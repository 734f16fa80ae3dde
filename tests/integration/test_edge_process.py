"""A real edge process: it says where it is, is the only one in its folder, and ends in order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing

import pytest
from sdk_standin import TOKEN, standin

from flagstaff import Client, Mode

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60.0


@pytest.fixture
def upstream():
    with standin() as found:
        found.set(search=True)
        yield found


@pytest.fixture
def start(upstream, tmp_path):
    begun = []
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)

    def starting(*more):
        words = ["--upstream", upstream.url, "--token-file", token_file, "--environments", "test"]
        words += ["--folder", tmp_path / "edge", "--port", "0", "--json", *more]
        command = [sys.executable, "-m", "flagstaff", "edge", *map(str, words)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield starting
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_says_where_it_is_and_ends_streams_when_it_ends(start, upstream):
    process = start()
    told = json.loads(process.stdout.readline())
    assert (told["ok"], told["pid"], told["remarks"]) == (True, process.pid, [])
    connection = Client.connect(
        told["url"], environment="test", token=TOKEN, cache=None, wait=PATIENCE
    )
    with closing(connection) as flags:
        assert flags.is_enabled("search")
        assert flags.readiness().mode is Mode.LIVE
        second = start()
        out, _ = second.communicate(timeout=PATIENCE)
        assert second.returncode == 1
        assert f"process {process.pid} already serves" in json.loads(out)["error"]["message"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert flags.is_enabled("search")
    assert process.stderr.read() == ""
    upstream.close()
    again = start()
    told = json.loads(again.stdout.readline())
    assert "is served as it was kept on disk, at version 2" in told["remarks"][0]
