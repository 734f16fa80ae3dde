"""What does Slack send, as our tests send it?"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

from flagstaff.services.chat_linking import ChatUser

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def user(name, number):
    return ChatUser(platform="Slack", team="T1", id=number, name=name)


class Http:
    """Sends what Slack sends, signed as Slack signs."""

    def __init__(self, client, slack):
        self._client = client
        self._slack = slack

    def send(self, path, body, *, stamp=None, signature=None, kind="x-www-form-urlencoded"):
        stamp = str(int(time.time())) if stamp is None else str(stamp)
        base = f"v0:{stamp}:{body}".encode()
        if signature is None:
            signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
        headers = {
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature,
            "content-type": f"application/{kind}",
        }
        return self._client.post(f"/slack/{path}", content=body, headers=headers)

    def command(self, text, **more):
        answer = self.send("commands", urlencode(slash(self._slack, text, **more)))
        assert answer.status_code == 200
        return answer.json()

    def interact(self, payload):
        answer = self.send("interactivity", urlencode({"payload": json.dumps(payload)}))
        assert answer.status_code == 200
        return answer.json() if answer.content else {}


def slash(slack, text, *, who="U1", channel="C1PROD", name="production", command="/flagstaff"):
    return {
        "command": command,
        "text": text,
        "user_id": who,
        "user_name": "somebody",
        "team_id": "T1",
        "channel_id": channel,
        "channel_name": name,
        "response_url": f"{slack.url}/respond/1",
        "trigger_id": f"1.{time.time_ns()}",
    }


def click(slack, message, action, *, who="U1", channel="C2TEAM"):
    """Return what Slack sends when somebody clicks a button of a message."""
    buttons = [
        button
        for block in message.get("blocks", ())
        if block["type"] == "actions"
        for button in block["elements"]
    ]
    (button,) = [each for each in buttons if each["action_id"] == action]
    posted = {key: message[key] for key in ("ts", "thread_ts") if message.get(key)}
    return {
        "type": "block_actions",
        "user": {"id": who, "username": "somebody", "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": channel, "name": "g_integrations"},
        "message": posted,
        "actions": [{"action_id": action, "value": button["value"]}],
        "trigger_id": f"1.{time.time_ns()}",
        "response_url": f"{slack.url}/respond/2",
    }


def submit(view, reason, *, who="U1"):
    """Return what Slack sends when somebody sends a form."""
    return {
        "type": "view_submission",
        "user": {"id": who, "username": "somebody", "team_id": "T1"},
        "team": {"id": "T1"},
        "view": {
            "callback_id": view["callback_id"],
            "private_metadata": view["private_metadata"],
            "state": {"values": {"reason": {"reason": {"value": reason}}}},
        },
    }
