"""A real server refuses requests that no client would send, and stays up."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60.0
DEFINITION = """\
name: new_navigation
type: development
default_enabled: false
group: group::integrations
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""
SCRIPT = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
serve(load_settings(root=sys.argv[1], port=0), ready=lambda url: print(url, flush=True))
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, int]]:
    folder = tmp_path / "config/feature_flags/development"
    folder.mkdir(parents=True)
    (folder / "new_navigation.yml").write_text(DEFINITION)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = urlsplit(process.stdout.readline().strip())
        yield str(url.hostname), int(url.port or 0)
        assert process.poll() is None
        process.terminate()
        assert process.wait(PATIENCE) == 0


def sent(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, PATIENCE) as connection:
        connection.sendall(request)
        found = b""
        while piece := connection.recv(65_536):
            found += piece
    return found


def test_only_whole_requests_for_this_machine_are_answered(address):
    assert sent(address, _get(b"/flags", b"Host: localhost")).startswith(b"HTTP/1.1 200")
    for request in (
        _get(b"/flags", b"Host: evil.example"),
        _get(b"/flags", b"Host: localhost", b"Host: evil.example"),
        _get(b"/flags", b"Host: evil.example", b"Host: localhost"),
        _get(b"/flags"),
        b"GET /flags HTTP/1.0\r\n\r\n",
        _get(b"http://localhost/flags", b"Host: evil.example"),
        _get(b"/flags", b"Host: localhost", b"X-Forwarded-For: 10.0.0.1"),
        _get(b"/api/v1/flags", b"Host: localhost"),
        _get(b"/api/v1/flags", b"Host: localhost", b"Authorization: Bearer \xff\xfe\x80"),
        _get(b"/api/v1/flags", b"Host: localhost", b"Authorization: Bearer " + b"a" * 30_000),
        _get(b"/api/v1/flags\x00", b"Host: localhost"),
        _get(b"/api/v1/..%2f..%2fflags", b"Host: localhost"),
        _get(b"/static/..%2f..%2fsite.py", b"Host: localhost"),
        _get(b"/static/%2e%2e/site.py", b"Host: localhost"),
        _get(b"/events", b"Host: localhost", b"X-Forwarded-For: 10.0.0.1"),
        _get(
            b"/api/v1/events",
            b"Host: localhost",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            b"Sec-WebSocket-Version: 13",
        ),
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ):
        answer = sent(address, request)
        status = answer.split(b" ", 2)[1] if answer else b""
        assert status in {b"", b"303", b"400", b"401", b"403", b"404", b"405", b"431"}, request[:80]
        assert b"new_navigation" not in answer
        assert b"Traceback" not in answer


def _get(target: bytes, *headers: bytes) -> bytes:
    lines = [b"GET " + target + b" HTTP/1.1", *headers, b"Connection: close", b"", b""]
    return b"\r\n".join(lines)
