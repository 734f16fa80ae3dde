"""Slack's messages over a socket that we open, with Slack's own client."""

from __future__ import annotations

from functools import partial

import pytest

from flagstaff.chatops.answering import Answering
from flagstaff.chatops.slack.app import SlackApp
from flagstaff.chatops.slack.room import SlackRoom
from flagstaff.chatops.slack.socket import Socket
from flagstaff.chatops.threads import RolloutThreads
from flagstaff.commands.model import ListAudit
from flagstaff.errors import Unavailable
from flagstaff.services.chat_accounts import first_seen
from flagstaff.services.person import ENGINE
from slack_requests import click, slash
from slack_standin import APP

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.usefixtures("people"),
]


@pytest.fixture
def socket(services, application):
    chat = application.chat.slack
    seen = partial(first_seen, services)
    app = SlackApp(Answering(services), chat, services.context.project.channels, first_seen=seen)
    socket = Socket(app, chat.client, APP, first_seen=seen, ping_interval=0.2)
    yield socket
    socket.stop()
    app.close()


def test_a_slash_command_is_answered_in_its_receipt(socket, slack):
    socket.start()
    slack.wait(lambda: slack.wires)
    receipt = slack.push("slash_commands", slash(slack, "rollout list"))
    assert receipt["envelope_id"] == "e1"
    assert "no rollouts" in receipt["payload"]["text"]


def test_an_envelope_that_comes_twice_is_carried_out_once(socket, slack, services):
    socket.start()
    slack.wait(lambda: slack.wires)
    payload = slash(slack, "feature set new_navigation true --production")
    assert slack.push("slash_commands", payload)["payload"]
    assert "payload" not in slack.push("slash_commands", payload)
    found = services.execute(ListAudit(action="flag.set"), ENGINE).data["entries"]
    assert len(found) == 1


def test_a_click_and_a_mention_arrive_too(socket, slack, services, application, rollout):
    socket.start()
    slack.wait(lambda: slack.wires)
    threads = RolloutThreads(
        services, SlackRoom(application.chat.slack), "#g_integrations", may=lambda: True, pace=0
    )
    threads.bring(rollout)
    _, question = slack.messages["C2TEAM"]
    slack.push("interactive", click(slack, question, "rollout-approve"))
    slack.wait(lambda: slack.said("C2TEAM", "<@U1>"))
    event = {"type": "app_mention", "user": "U1", "text": "<@UB> help", "channel": "C3DEV"}
    body = {"event_id": "Ev7", "team_id": "T1", "event": {**event, "ts": "17.1"}}
    slack.push("events_api", body, envelope="e3")
    slack.wait(lambda: [each for each in slack.whispers if each["thread_ts"] == "17.1"])


def test_a_connection_that_breaks_is_made_again(socket, slack):
    socket.start()
    slack.wait(lambda: slack.connections == 1)
    slack.wires[-1].cut()
    slack.wait(lambda: slack.connections == 2)
    receipt = slack.push("slash_commands", slash(slack, "rollout list"))
    assert "no rollouts" in receipt["payload"]["text"]


def test_slack_that_is_away_at_the_start_is_tried_again(socket, slack):
    slack.fail["apps.connections.open"] = ["internal_error"]
    socket.start()
    slack.wait(lambda: slack.connections == 1)
    assert [name for name, _ in slack.calls].count("apps.connections.open") == 2


def test_a_socket_that_never_connects_can_be_stopped(socket, slack):
    slack.fail["apps.connections.open"] = ["internal_error"] * 100
    socket.start()
    slack.wait(lambda: slack.calls)


def test_a_database_that_is_away_is_said_to_whoever_asks(socket, slack, monkeypatch):
    def away(_):
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(socket, "_first_seen", away)
    socket.start()
    slack.wait(lambda: slack.wires)
    receipt = slack.push("slash_commands", slash(slack, "rollout list"))
    assert receipt["payload"]["text"] == "the database does not answer"
