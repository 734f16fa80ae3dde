"""Does an announcement reach every channel, and is each refusal understood?"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flagstaff.errors import Refused, Unavailable
from flagstaff.integrations.notify import webhook
from flagstaff.rollouts.effect import Post

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

POST = Post(key="7/s1/0", step="s1", channels=("#ops", "#größe"), text="“Hello” 🚩")


class Chat(ThreadingHTTPServer):
    """A receiver that answers with the codes it is given, then with 200."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers = []
        self.heard = []
        self.go_on = threading.Event()
        self.go_on.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/secret"


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.go_on.wait(60)
        self.server.heard.append((dict(self.headers), json.loads(body)))
        code = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(code)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def chat():
    server = Chat()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_channel_hears_it_under_a_key_of_its_own(chat):
    webhook.post(chat.url, POST)
    assert [body for _, body in chat.heard] == [
        {"channel": "#ops", "text": "“Hello” 🚩"},
        {"channel": "#größe", "text": "“Hello” 🚩"},
    ]
    keys = [headers["Idempotency-Key"] for headers, _ in chat.heard]
    assert len(set(keys)) == 2
    assert all(key.startswith("7/s1/0/") and key.isascii() for key in keys)


def test_the_key_is_the_same_on_every_try(chat):
    webhook.post(chat.url, POST)
    webhook.post(chat.url, POST)
    keys = [headers["Idempotency-Key"] for headers, _ in chat.heard]
    assert keys[:2] == keys[2:]


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_every_kind_of_yes_is_a_yes(chat, code):
    chat.answers = [code, code]
    webhook.post(chat.url, POST)
    assert len(chat.heard) == 2


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_later_means_later(chat, code):
    chat.answers = [code]
    with pytest.raises(Unavailable, match=f"answers {code}"):
        webhook.post(chat.url, POST)
    assert len(chat.heard) == 1


@pytest.mark.parametrize("code", [301, 302, 400, 401, 403, 404, 410, 413])
def test_no_means_no(chat, code):
    chat.answers = [code]
    with pytest.raises(Refused, match=f"with {code}") as caught:
        webhook.post(chat.url, POST)
    assert "flagstaff rollout retry" in caught.value.hint
    assert "secret" not in str(caught.value)


def test_silence_means_later(chat, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT", 0.05)
    chat.go_on.clear()
    try:
        with pytest.raises(Unavailable, match="does not answer"):
            webhook.post(chat.url, POST)
    finally:
        chat.go_on.set()


def test_nobody_there_means_later(chat):
    url = chat.url
    chat.server_close()
    with pytest.raises(Unavailable, match="does not answer") as caught:
        webhook.post(url, POST)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "secret", "ftp://127.0.0.1/secret", "http://", "http://a:b/secret"],
)
def test_what_is_no_address_is_refused_without_repeating_it(url):
    with pytest.raises(Refused, match="no usable address") as caught:
        webhook.post(url, POST)
    assert "secret" not in str(caught.value)
