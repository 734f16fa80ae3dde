"""Slash commands over HTTP: who may, what is refused, and what follows later."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import urlencode

import pytest

from fakes import FakeWorld
from flagstaff.commands.model import GetFlag, ListAudit
from flagstaff.engine.loop import Engine
from flagstaff.integrations.telling import Teller
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.event import Answer
from flagstaff.services.person import ENGINE
from flagstaff.services.ports import OnDuty
from slack_requests import slash

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.usefixtures("people")]

SET = "feature set new_navigation true --production"


def production(services):
    command = GetFlag(flag="new_navigation", environments=("production",))
    return services.execute(command, ENGINE).text


def tell_others(application, root):
    """Do what a server that runs the rollouts does: tell those who are to hear of a change."""
    services = application.services
    project = services.context.project
    teller = Teller(root=root, project=project, announce=application.chat.announce)
    Engine(services, FakeWorld(), tell=teller.tell).tick()


@pytest.mark.parametrize("prefix", ["", "run ", "gitlab run "])
def test_a_command_is_carried_out_for_the_linked_person(
    http, application, services, slack, prefix, root
):
    answer = http.command(prefix + SET, command="/chatops")
    assert answer["response_type"] == "in_channel"
    assert "new_navigation" in answer["text"]
    (entry,) = services.execute(ListAudit(action="flag.set"), ENGINE).data["entries"]
    assert (entry["who"], entry["source"]) == ("ada", "chat")
    tell_others(application, root)
    [told] = slack.said("C2TEAM")
    assert told["text"] == "ada: new_navigation set to true in production (in #production)"


def test_a_refusal_reaches_the_asker_though_the_channel_takes_nothing(http, slack):
    """Slack whispers to nobody who has left the channel, and a mention has no other way back."""
    slack.fail["chat.postEphemeral"] = ["user_not_in_channel"]
    event = {"type": "app_mention", "user": "U1", "team": "T1", "text": f"<@UB> {SET}", "ts": "1.1"}
    body = {
        "type": "event_callback",
        "event_id": "Ev7",
        "event": {**event, "channel": "C3DEV"},
    }
    assert http.send("events", json.dumps(body), kind="json").status_code == 200
    [told] = slack.wait(lambda: slack.direct)
    assert told["channel"] == "U1"
    assert "production changes only in #production" in told["text"]


def test_announcements_mention_who_is_on_call_and_nobody_else(application, slack):
    said = Post(key="1/a/0", step="a", channels=("#g_integrations",), text="<!here> soon")
    people = (OnDuty(name="zoe", mention="<@U7>"), OnDuty(name="<!channel>"), OnDuty(name="here"))
    application.chat.announce(said, on_duty=people)
    [post] = slack.said("C2TEAM")
    assert post["text"] == "&lt;!here&gt; soon\nOn call: <@U7> @&lt;!channel&gt; here"


def test_production_from_another_channel_is_refused_with_the_reason(http, services):
    before = production(services)
    answer = http.command(SET, channel="C3DEV", name="dev-talk")
    assert answer["response_type"] == "ephemeral"
    assert "production changes only in #production" in answer["text"]
    assert production(services) == before


def test_a_private_channel_is_looked_up_by_its_number(http):
    """Slack writes `privategroup` in place of such names, and nobody may pass as #production."""
    answer = http.command(SET, channel="C3DEV", name="privategroup")
    assert "production changes only in #production" in answer["text"]
    assert http.command(SET, name="privategroup")["response_type"] == "in_channel"


def test_who_is_not_linked_may_only_link_and_read_help(http, services):
    before = production(services)
    for text in (SET, "feature get new_navigation", "nonsense", "rollout list"):
        answer = http.command(text, who="U9")
        assert answer["response_type"] == "ephemeral"
        assert "/flagstaff link" in answer["text"]
    assert production(services) == before
    assert "feature" in http.command("help", who="U9")["text"]
    assert "feature" in http.command("", who="U9")["text"]
    assert "Usage" in http.command("help feature set", who="U9")["text"]


def test_the_same_number_in_another_workspace_is_somebody_else(http, slack):
    foreign = {**slash(slack, SET), "team_id": "T2"}
    answer = http.send("commands", urlencode(foreign))
    assert "/flagstaff link" in answer.json()["text"]


def test_usage_errors_teach_and_stay_private(http):
    answer = http.command("feature sett new_navigation true")
    assert answer["response_type"] == "ephemeral"
    assert "did you mean `set`" in answer["text"]


def test_accounts_are_not_changed_from_chat(http):
    for text in ("person add eve --role admin", "token create x --role viewer", "person unlink"):
        answer = http.command(text)
        assert answer["response_type"] == "ephemeral"
        assert "not changed from chat" in answer["text"]


def test_what_a_person_writes_notifies_nobody(http):
    answer = http.command("feature get <!channel>")
    assert "<!channel>" not in answer["text"]


def test_forged_old_and_replayed_requests_are_refused(http, slack, services):
    before = production(services)
    body = urlencode(slash(slack, SET))
    now = int(time.time())
    assert http.send("commands", body, signature="v0=" + "0" * 64).status_code == 401
    assert http.send("commands", body, signature="").status_code == 401
    assert http.send("commands", body, signature=b"v0=\xe4").status_code == 401
    assert http.send("commands", body, stamp=now - 301).status_code == 401
    # Far enough ahead: a busy machine may need a while to come here.
    assert http.send("commands", body, stamp=now + 900).status_code == 401
    assert http.send("commands", body, stamp="").status_code == 401
    assert http.send("commands", body, stamp="1e9").status_code == 401
    assert production(services) == before
    help_ = urlencode(slash(slack, "help"))
    assert http.send("commands", help_, stamp=now).status_code == 200
    assert http.send("commands", help_, stamp=now).status_code == 401


def test_nonsense_with_a_good_signature_is_no_fault(http):
    for path, body in (
        ("commands", ""),
        ("commands", "text=x"),
        ("interactivity", "payload={"),
        ("interactivity", "payload=7"),
        ("events", "["),
        ("events", '{"event": {"type": "app_mention", "user": "U1"}}'),
    ):
        assert http.send(path, body).status_code == 400
    assert http.send("events", '{"type": "event_callback"}').status_code == 200


def test_slack_may_ask_whether_the_address_is_ours(http):
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"})
    answer = http.send("events", body, kind="json")
    assert answer.json() == {"challenge": "3eZbrw1a"}


def test_a_mention_is_answered_once_in_its_thread(http, slack):
    event = {
        "type": "app_mention",
        "user": "U1",
        "team": "T1",
        "text": "<@UBOT> feature get new_navigation",
        "channel": "C3DEV",
        "ts": "1700000000.000100",
    }
    for retry in range(2):
        body = {"type": "event_callback", "event_id": "Ev1", "event": event, "retry": retry}
        assert http.send("events", json.dumps(body), kind="json").status_code == 200
    (said,) = slack.wait(lambda: slack.said("C3DEV"))
    assert said["thread_ts"] == "1700000000.000100"
    assert "new_navigation" in said["text"]


class SlowCheck:
    """A production check that takes as long as the test wants."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self):
        assert self.go.wait(60)
        return Answer(yes=True, text="all is well")


@pytest.mark.parametrize("patience", [0.5])
@pytest.mark.parametrize("place", [("C1PROD", "production"), ("C4OUT", "out")])
def test_what_takes_long_is_answered_at_once_and_told_later(
    http, slack, services, monkeypatch, place
):
    """In the thread; and where the app may not post, by Slack's own address for the answer."""
    channel, name = place
    check = SlowCheck()
    monkeypatch.setattr(type(services), "_healthy", lambda *_: check())
    answer = http.command(SET, channel=channel, name=name)
    assert answer == {"response_type": "ephemeral", "text": "on it; the answer follows"}
    check.go.set()
    if channel == "C1PROD":
        root, told = slack.wait(lambda: len(found := slack.said("C1PROD")) > 1 and found)
        assert "<@U1> asked" in root["text"]
        assert told["thread_ts"] == root["ts"]
        assert "new_navigation" in told["text"]
    else:
        (told,) = slack.wait(lambda: slack.responses)
        assert told["response_type"] == "ephemeral"
        assert "production changes only" in told["text"]
