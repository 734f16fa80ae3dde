"""One thread per rollout, edited in place, with buttons that are ordinary commands."""

from __future__ import annotations

import threading

import pytest

from fakes import FakeWorld
from flagstaff.chatops.slack.room import SlackRoom
from flagstaff.chatops.threads import RolloutThreads
from flagstaff.commands.model import AbortRollout, ApproveStep, ListAudit
from flagstaff.engine.loop import Engine
from flagstaff.errors import Refused, Unavailable
from flagstaff.integrations.notify.slack import Slack
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import chat_accounts, running
from flagstaff.services.person import ENGINE
from slack_requests import click, submit

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.usefixtures("people"),
]

TEAM = "C2TEAM"


@pytest.fixture
def chat(application):
    return application.chat.slack


@pytest.fixture
def threads(services, chat):
    return RolloutThreads(services, SlackRoom(chat), "#g_integrations", may=lambda: True, pace=0)


@pytest.fixture
def asked(threads, slack, rollout):
    """Return the first message of the rollout's thread, and the question in it."""
    threads.bring(rollout)
    root, question = slack.messages[TEAM]
    return root, question


def phase(services, number):
    return services.ask(lambda unit: running.find(unit, number), ENGINE).rollout.phase


def test_the_thread_says_where_the_rollout_stands_and_is_edited_in_place(
    threads, slack, services, rollout, asked
):
    root, question = asked
    assert "waiting" in root["text"]
    assert question["thread_ts"] == root["ts"]
    assert "Does it work?" in question["text"]
    threads.bring(rollout)
    assert len(slack.messages[TEAM]) == 2
    assert "edits" not in root, "what reads so already is not sent again"
    services.execute(AbortRollout(rollout=rollout, reason="it is slow"), ENGINE)
    threads.bring(rollout)
    root, question, news = slack.messages[TEAM]
    assert "rolled back" in root["text"]
    assert "it is slow" in news["text"]
    assert news["thread_ts"] == root["ts"]
    assert all(block["type"] != "actions" for block in root["blocks"])
    assert not question.get("blocks"), "an old question has no buttons"


def test_a_click_approves_as_the_linked_person(http, slack, services, asked):
    root, question = asked
    assert http.interact(click(slack, question, "rollout-approve")) == {}
    (told,) = slack.wait(lambda: slack.said(TEAM, "<@U1>"))
    assert told["thread_ts"] == root["ts"]
    (entry,) = services.execute(ListAudit(action="step.approve"), ENGINE).data["entries"]
    assert (entry["who"], entry["source"]) == ("ada", "chat")


@pytest.mark.parametrize(
    "refused", [("U9", "/flagstaff link"), ("U2", "somebody else has to approve")]
)
def test_a_click_of_somebody_who_may_not_is_refused_to_them_alone(
    http, slack, services, rollout, asked, refused
):
    """U9 is not linked; U2 is bob, who has started the rollout: four eyes."""
    (who, why), (_, question) = refused, asked
    http.interact(click(slack, question, "rollout-approve", who=who))
    (told,) = slack.wait(lambda: slack.whispers)
    assert told["user"] == who
    assert why in told["text"]
    assert phase(services, rollout) is Phase.WAITING


def test_a_no_needs_a_reason(http, slack, services, rollout, asked):
    root, question = asked
    http.interact(click(slack, question, "rollout-reject"))
    (opened,) = slack.views
    assert "errors" in http.interact(submit(opened["view"], "  "))
    assert phase(services, rollout) is Phase.WAITING
    assert http.interact(submit(opened["view"], "the menu is empty")) == {}
    assert phase(services, rollout) is Phase.PAUSED
    (told,) = slack.wait(lambda: slack.said(TEAM, "<@U1>"))
    assert told["thread_ts"] == root["ts"]
    (entry,) = services.execute(ListAudit(action="step.reject"), ENGINE).data["entries"]
    assert (entry["who"], entry["reason"]) == ("ada", "the menu is empty")


def test_an_abort_is_confirmed_with_a_reason(http, slack, services, rollout, asked):
    root, _ = asked
    http.interact(click(slack, root, "rollout-abort"))
    assert phase(services, rollout) is Phase.WAITING
    (opened,) = slack.views
    assert "gates go back" in str(opened["view"]["blocks"])
    answer = http.interact(submit(opened["view"], "too slow", who="U9"))
    assert "/flagstaff link" in answer["errors"]["reason"]
    assert phase(services, rollout) is Phase.WAITING
    assert http.interact(submit(opened["view"], "too slow")) == {}
    assert phase(services, rollout) is Phase.ROLLED_BACK


def test_a_second_click_changes_nothing(http, slack, services, asked):
    _, question = asked
    payload = click(slack, question, "rollout-approve")
    for times in (1, 2):
        http.interact({**payload, "trigger_id": f"{times}"})
        slack.wait(lambda: len(slack.said(TEAM, "<@U1>")) == times)  # noqa: B023 it waits here
    found = services.execute(ListAudit(action="step.approve"), ENGINE).data["entries"]
    assert len(found) == 1


def test_the_thread_follows_by_itself(threads, slack, services, rollout):
    threads.start()
    try:
        slack.wait(lambda: slack.said(TEAM, "Does it work?"))
        services.execute(ApproveStep(rollout=rollout), ENGINE)
        slack.wait(lambda: slack.said(TEAM, "approved by flagstaff"))
        (question,) = slack.said(TEAM, "Does it work?")
        assert not question.get("blocks")
        Engine(services, FakeWorld()).tick()
        slack.wait(lambda: slack.said(TEAM, "running"))
    finally:
        threads.stop()


def test_only_the_server_that_runs_the_rollouts_posts(services, chat, slack, rollout):
    asked = []
    threads = RolloutThreads(
        services, SlackRoom(chat), "#g_integrations", may=lambda: bool(asked.append(1)), pace=0
    )
    assert threads._look(rollout)
    assert asked
    assert slack.calls == []


ANNOUNCEMENT = Post(
    key="rollout/1/announce/1",
    step="announce",
    channels=("#production", "#g_integrations"),
    text="new_navigation is on",
)


def test_a_lost_answer_posts_nothing_twice(chat, slack):
    """The second channel's answer is lost: a retry finds the message by our mark."""
    for number in range(8):
        chat.say(TEAM, f"noise {number}")
    slack.fail["chat.postMessage"] = ["", "lost"]
    with pytest.raises(Unavailable):
        chat.announce(ANNOUNCEMENT)
    assert len(slack.said(TEAM, "is on")) == 1
    for number in range(8):
        chat.say(TEAM, f"noise {number}")
    chat.announce(ANNOUNCEMENT)
    assert len(slack.said(TEAM, "is on")) == 1
    assert len(slack.said("C1PROD", "is on")) == 1


def test_a_kill_between_posting_and_remembering_posts_once(chat, slack, services, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_, ts, **more):
        if ts:
            raise Killed
        chat_accounts.remember(*_, ts=ts, **more)

    with monkeypatch.context() as patch:
        patch.setattr("flagstaff.integrations.notify.slack.remember", die)
        with pytest.raises(Killed):
            chat.announce(ANNOUNCEMENT)
    assert len(slack.said("C1PROD", "is on")) == 1
    another = Slack(chat.client, services)
    another.announce(ANNOUNCEMENT)
    another.announce(ANNOUNCEMENT)
    assert len(slack.said("C1PROD", "is on")) == 1
    assert len(slack.said(TEAM, "is on")) == 1


def test_a_kill_before_posting_posts_on_the_next_try(chat, slack):
    slack.fail["chat.postMessage"] = ["ratelimited"]
    with pytest.raises(Unavailable, match="later"):
        chat.announce(ANNOUNCEMENT)
    assert slack.said("C1PROD") == []
    chat.announce(ANNOUNCEMENT)
    assert len(slack.said("C1PROD", "is on")) == 1


def test_what_slack_will_never_take_is_refused_with_the_remedy(chat, slack):
    with pytest.raises(Refused, match="no channel #nowhere"):
        chat.announce(Post(key="k", step="s", channels=("#nowhere",), text="x"))
    with pytest.raises(Refused) as refusal:
        chat.announce(Post(key="k", step="s", channels=("#out",), text="x"))
    assert "/invite" in refusal.value.hint
    slack.fail["chat.postMessage"] = ["invalid_auth"]
    with pytest.raises(Refused) as refusal:
        chat.announce(ANNOUNCEMENT)
    assert "SLACK_BOT_TOKEN_FILE" in refusal.value.hint


def test_slack_that_is_away_is_tried_again_later(chat, slack):
    slack.close()
    with pytest.raises(Unavailable):
        chat.announce(ANNOUNCEMENT)


def test_another_server_goes_on_with_the_threads(services, chat, slack, rollout, monkeypatch):
    """Nothing is heard when the server that ran the rollouts ends; so all are looked at."""
    monkeypatch.setattr("flagstaff.chatops.threads.LOOK_EVERY", 0.05)
    turn = threading.Event()
    threads = RolloutThreads(services, SlackRoom(chat), "#g_integrations", may=turn.is_set, pace=0)
    threads.start()
    try:
        assert slack.calls == []
        turn.set()
        slack.wait(lambda: slack.said(TEAM, f"Rollout {rollout}"))
    finally:
        threads.stop()
