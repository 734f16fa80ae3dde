"""Hundreds of real streams: nobody misses a change, nobody is waited for, and all end in order."""

from __future__ import annotations

import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress

import pytest

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Actors, Boolean
from flagstaff.flags.snapshot import Snapshot

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60.0
STREAMS, CHANGES = 300, 20
SERVE = """
import sys, time
from flagstaff.server import run
from flagstaff.server.streams import reader
from flagstaff.server.settings import load_settings
reader.SLOWEST = float(sys.argv[2])
settings = load_settings(root=sys.argv[1], port=0, engine=False)
run.serve(settings, ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""
DEFINITION = "name: flag_{}\ntype: ops\ndefault_enabled: false\ndescription: {}\n"


class Server:
    def __init__(self, root, slowest=30.0, **environment):
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(root), str(slowest)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment} or None,
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.process.stderr.read()
        self.token = (root / ".flagstaff/token").read_text().strip()

    def ask(self, path, body=None):
        request = urllib.request.Request(  # noqa: S310
            self.url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        return urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310

    def switch(self, number, *, on):
        self.change(number, Boolean(value=on))

    def change(self, number, change):
        command = SetFlag(flag=f"flag_{number}", environments=("dev",), change=change)
        with self.ask("/api/v1/commands", encode_command(command)) as answer:
            assert json.load(answer)["ok"]

    def metric(self, name):
        with self.ask("/metrics") as answer:
            found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(found[1])

    def stream(self, *, small=False):
        found = socket.socket()
        if small:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        found.settimeout(PATIENCE)
        found.connect(("127.0.0.1", int(self.url.rpartition(":")[2])))
        found.sendall(
            b"GET /api/v1/environments/dev/stream HTTP/1.1\r\nHost: localhost\r\n"
            b"X-Flagstaff-Changes: 1\r\nAuthorization: Bearer %s\r\n\r\n" % self.token.encode()
        )
        return found


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "config/feature_flags/ops"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"flag_{number}.yml").write_text(DEFINITION.format(number, "d" * 60))
    return tmp_path


@pytest.fixture
def serve(project):
    begun = []

    def serving(**details):
        begun.append(Server(project, **details))
        return begun[-1]

    yield serving
    for each in begun:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


def events(connection, last):
    """Return the events of a stream up to the version `last`, as (kind, data)."""
    text = b""
    while f"id: {last}\n".encode() not in text or not text.endswith(b"\n\n\r\n"):
        piece = connection.recv(65536)
        assert piece, "the stream ended early"
        text += piece
    body = re.sub(rb"\r?\n?[0-9a-f]+\r\n", b"\n", text.partition(b"\r\n\r\n")[2])
    found = re.findall(r"event: (\w+)\ndata: (.*)\n", body.decode())
    return [(kind, json.loads(data)) for kind, data in found]


def test_every_stream_can_follow_every_change(serve):
    server = serve()
    with ExitStack() as stack:
        streams = [stack.enter_context(server.stream()) for _ in range(STREAMS)]
        for each in streams:
            assert each.recv(15) == b"HTTP/1.1 200 OK"
        assert server.metric('flagstaff_streams{environment="dev"}') == STREAMS
        for number in range(CHANGES):
            server.switch(number, on=True)
        with server.ask("/api/v1/environments/dev/snapshot") as answer:
            expected = Snapshot.from_json(json.load(answer))
        for each in streams:
            told = events(each, CHANGES)
            assert [kind for kind, _ in told][:2] == ["snapshot", "change"]
            held = Snapshot.from_json(told[0][1])
            for kind, data in told[1:]:
                if kind == "snapshot":
                    held = Snapshot.from_json(data)
                else:
                    assert data["base"] == held.version, "something was left out"
                    held = held.changed_by(data)
            assert held == expected
        assert server.metric('flagstaff_snapshot_version{environment="dev"}') == CHANGES
        server.process.send_signal(signal.SIGTERM)
        for each in streams:
            rest = b"".join(iter(lambda each=each: each.recv(65536), b""))
            assert rest.endswith(b"0\r\n\r\n"), "it ended as a whole"
    assert server.process.wait(PATIENCE) == 0
    assert server.process.stdout.read() == "ended\n"
    assert server.process.stderr.read() == ""


def test_a_reader_that_does_not_read_is_dropped_and_the_others_go_on(serve):
    server = serve(slowest=3)  # long enough for one who reads on a busy machine
    many = tuple(f"User:{number}" for number in range(20_000))
    with server.stream(small=True) as slow, server.stream() as quick:
        heard = Heard(quick)
        server.change(1, Actors(ids=many, value=True))
        end = time.monotonic() + 2 * PATIENCE
        for number in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()):
            if server.metric("flagstaff_slow_readers_dropped_total"):
                break
            # Longer than what the buffers between us take in a few times.
            server.change(1, Actors(ids=(f"Project:{number}",), value=True))
        else:
            pytest.fail("the slow reader was never dropped")
        server.switch(2, on=True)
        with server.ask("/api/v1/environments/dev/snapshot") as answer:
            assert heard.until(json.load(answer)["version"])
        assert is_cut_off(slow)
        while server.metric('flagstaff_streams{environment="dev"}') != 1:
            assert time.monotonic() < end
            time.sleep(0.05)


class Heard:
    """Reads a stream in a thread of its own."""

    def __init__(self, connection):
        self._last = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def until(self, version):
        with self._changed:
            return self._changed.wait_for(lambda: self._last >= version, PATIENCE)

    def _read(self, connection):
        rest = b""
        with suppress(OSError):  # the test is over
            while piece := connection.recv(1 << 20):
                found = re.findall(rb"id: (\d+)\n", rest[-30:] + piece)
                rest = piece
                with self._changed:
                    self._last = max([self._last, *map(int, found)])
                    self._changed.notify_all()


def is_cut_off(connection):
    """Return whether the other end is gone, after what it had sent."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    return True


def test_one_stream_too_many_is_told_to_come_back(serve):
    import os  # noqa: PLC0415 only here

    server = serve(**os.environ, FLAGSTAFF_MOST_STREAMS="2")
    with server.stream() as one, server.stream() as two:
        assert one.recv(15) == two.recv(15) == b"HTTP/1.1 200 OK"
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.ask("/api/v1/environments/dev/stream")
        assert refused.value.code == 503
        assert int(refused.value.headers["retry-after"]) >= 1
        assert json.load(refused.value)["code"] == "too_many_streams"
        refused.value.close()
        assert server.metric('flagstaff_limits_hit_total{limit="most_streams"}') == 1


def test_a_running_request_finishes_while_streams_end(serve):
    server = serve()
    with server.stream() as stream:
        stream.recv(15)
        slow = socket.create_connection(stream.getpeername(), timeout=PATIENCE)
        body = json.dumps(
            encode_command(
                SetFlag(flag="flag_1", environments=("dev",), change=Boolean(value=True))
            )
        ).encode()
        slow.sendall(
            b"POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (server.token.encode(), len(body), body[:10])
        )
        while server.metric('flagstaff_streams{environment="dev"}') < 1:
            threading.Event().wait(0.05)
        server.process.send_signal(signal.SIGTERM)
        while stream.recv(65536):
            pass
        slow.sendall(body[10:])
        answer = slow.recv(65536)
        slow.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert server.process.wait(PATIENCE) == 0
