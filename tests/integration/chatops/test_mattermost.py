"""Mattermost's slash commands: its own shape and token, the same answers."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from starlette.testclient import TestClient

from flagstaff.chatops.answering import Answering
from flagstaff.chatops.mattermost.app import Mattermost
from flagstaff.chatops.message import Reply
from flagstaff.commands.access_model import AddPerson, LinkChat
from flagstaff.errors import UsageError
from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from flagstaff.services.person import ENGINE

ADDRESS = "http://chat.internal"
TOKEN = "gr8token7x3p9k1m5q2w4e6r8t"
SET = "feature set new_navigation true --production"


@pytest.fixture
def settings(root):
    (root / "mattermost").write_text(f"other\n{TOKEN}\n")
    return Settings(
        root=root,
        engine=False,
        mattermost_url=ADDRESS,
        mattermost_token_file=root / "mattermost",
    )


@pytest.fixture
def send(application):
    """Send what Mattermost sends for a slash command."""
    counted = iter(range(1000))
    with TestClient(application.asgi, base_url="http://localhost") as client:

        def send(text, *, token=TOKEN, channel="production", **more):
            fields = {
                "channel_id": "qmd5oqtwoibz8cuzxzg5ekshgr",
                "channel_name": channel,
                "command": "/flagstaff",
                "response_url": f"{ADDRESS}/hooks/commands/1",
                "team_domain": "engineering",
                "team_id": "rdc9bgriktyx9p4kowh3dmgqyc",
                "text": text,
                "token": token,
                "trigger_id": f"trigger-{next(counted)}",
                "user_id": "c3a4cqe3dfy6dgopqt8ai3hydh",
                "user_name": "ada.l",
                **more,
            }
            return client.post("/mattermost/commands", data=fields)

        yield send


@pytest.fixture
def linked(send, services):
    services.execute(AddPerson(name="ada", roles=("admin",)), ENGINE)
    text = send("link").json()["text"]
    code = text.partition("person link ")[2].split()[0]
    services.execute(LinkChat(code=code, person="ada"), ENGINE)


@pytest.mark.usefixtures("linked")
def test_a_command_is_carried_out_for_the_linked_person(send):
    answer = send(SET).json()
    assert answer["response_type"] == "in_channel"
    assert "new_navigation" in answer["text"]
    refused = send(SET.replace("true", "false"), channel="town-square").json()
    assert refused["response_type"] == "ephemeral"
    assert "production changes only in #production" in refused["text"]


def test_who_is_not_linked_is_told_how(send):
    answer = send(SET).json()
    assert answer["response_type"] == "ephemeral"
    assert "/flagstaff link" in answer["text"]


@pytest.mark.usefixtures("linked")
def test_a_wrong_token_and_a_replay_are_refused(send):
    for token in ("", "wrong", "gr8", "\u00e4"):
        assert send("rollout list", token=token).status_code == 401
    assert send("rollout list", trigger_id="t1").status_code == 200
    assert send("rollout list", trigger_id="t1").status_code == 401
    assert send("rollout list", user_id="").status_code == 400


def test_what_is_said_leaves_no_fence_and_notifies_nobody(send):
    text = send("help ```@channel").json()["text"]
    assert text.count("```") == 2
    assert text.startswith("```\n")


def test_answers_go_to_mattermost_alone(root):
    (root / "mattermost").write_text(TOKEN)
    with pytest.raises(UsageError, match="needs its address"):
        build(Settings(root=root, engine=False, mattermost_token_file=root / "mattermost"))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.set_result(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.network
@pytest.mark.enable_socket
def test_a_late_answer_goes_to_the_address_for_it_if_that_is_mattermosts(services):
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got = Future()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    app = Mattermost(Answering(services), url, (TOKEN,), first_seen=lambda _: True)
    done: Future[Reply] = Future()
    done.set_result(Reply(text="well", private=False))
    app._follow("http://elsewhere.internal/hooks", done)
    app._follow(f"{url}.elsewhere.internal/hooks", done)
    assert not server.got.done()
    app._follow(f"{url}/hooks/commands/1", done)
    assert server.got.result(60)["response_type"] == "in_channel"
    app.close()
    server.shutdown()
    server.server_close()
    thread.join()
