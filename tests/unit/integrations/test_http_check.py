"""Is a web address asked as a step says, and never one that only the server can reach?"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flagstaff.integrations import http_check
from flagstaff.integrations.http_check import HttpCheck
from flagstaff.rollouts.checks import CheckHttp

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

HERE = HttpCheck(private_hosts=("127.0.0.1",))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.asked = []
        found.answer = (200, {}, b'{"status": "green", "queues": [{"depth": 0, "full": false}]}')
        found.url = f"http://127.0.0.1:{found.server_address[1]}"
        thread = threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(url, check=HERE, **fields):
    return check.ask(CheckHttp(url=url, **fields))


def test_the_status_is_as_expected_or_not(server):
    assert ask(f"{server.url}/health?token=secret").yes
    assert server.asked[0][0] == "/health?token=secret"
    answer = ask(f"{server.url}/health?token=secret", status=204)
    assert (answer.yes, answer.text) == (False, f"{server.url}/health answers 200, not 204")


@pytest.mark.parametrize(
    ("path", "equals", "yes"),
    [
        ("status", "green", True),
        ("status", "red", False),
        ("queues.0.depth", "0", True),
        ("queues.0.full", "false", True),
        ("queues.7.full", "false", False),
        ("queues.x", "1", False),
        ("status.deeper", "green", False),
        ("nothing", "null", False),
    ],
)
def test_what_stands_in_the_json(server, path, equals, yes):
    assert ask(server.url, path=path, equals=equals).yes is yes


def test_an_answer_that_is_no_json_is_a_no(server):
    for body in (b"<html>", b"[" * 50_000, b"\xff\xfe"):
        server.answer = (200, {}, body)
        assert not ask(server.url, path="status", equals="green").yes


def test_redirects_are_not_followed(server):
    server.answer = (302, {"Location": "http://127.0.0.1:1/"}, b"")
    assert ask(server.url).text.endswith("answers 302, not 200")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://user:word@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http:///",
        "http://",
        "gibberish",
        "http://127.0.0.1:99999/",
        "http://[bad",
        "http://a\r\nHost: b/",
    ],
)
def test_nothing_private_is_asked(server, url):
    answer = ask(url.format(port=server.server_address[1]), check=HttpCheck())
    assert not answer.yes
    assert server.asked == []


def test_a_name_that_is_public_at_first_and_private_then_gains_nothing(server, monkeypatch):
    """The name is looked up once, and what was found is what is connected to."""
    port = server.server_address[1]
    found = iter([[(2, 1, 6, "", ("93.184.215.14", port))], [(2, 1, 6, "", ("127.0.0.1", port))]])
    tried = []

    def connect(address, timeout):
        del timeout
        tried.append(address)
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(http_check.socket, "getaddrinfo", lambda *_, **__: next(found))
    monkeypatch.setattr(http_check.socket, "create_connection", connect)
    assert not ask(f"http://rebinding.example:{port}/", check=HttpCheck()).yes
    assert tried == [("93.184.215.14", port)]


def test_one_private_address_of_several_is_enough_to_refuse(monkeypatch):
    found = [(2, 1, 6, "", ("93.184.215.14", 80)), (2, 1, 6, "", ("10.1.2.3", 80))]
    monkeypatch.setattr(http_check.socket, "getaddrinfo", lambda *_, **__: found)
    assert "not public" in ask("http://both.example/", check=HttpCheck()).text


@pytest.mark.parametrize("dripping", [b"", b"H"])
def test_one_that_never_ends_is_given_up(dripping):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    while not over.wait(0.2):
                        connection.sendall(dripping)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        answer = ask(url, timeout=timedelta(seconds=1))
        assert (answer.yes, answer.text) == (False, f"{url} does not answer: it took too long")
        assert time.monotonic() - began < 60
        over.set()
        thread.join()


def test_nobody_there(server):
    server.shutdown()
    server.server_close()
    assert "does not answer" in ask(server.url).text
