"""One thread per rollout in Mattermost, edited in place, with buttons that are commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from flagstaff.chatops.mattermost.seal import LASTS, Seal
from flagstaff.chatops.threads import RolloutThreads
from flagstaff.commands.access_model import AddPerson, LinkChat
from flagstaff.commands.model import AbortRollout, ListAudit
from flagstaff.errors import Refused, Unavailable, UsageError
from flagstaff.integrations.notify.mattermost import PREFIX
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.rollout import Phase
from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from flagstaff.services import running
from flagstaff.services.chat_accounts import offer
from flagstaff.services.chat_linking import ChatUser
from flagstaff.services.person import ENGINE
from flagstaff.services.ports import OnDuty
from mattermost_standin import BOT, CHANNELS, TEAM, MattermostStandIn

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

ADA, BOB, NOBODY = "a" * 26, "o" * 26, "n" * 26


@pytest.fixture
def mattermost():
    standin = MattermostStandIn()
    yield standin
    standin.close()


@pytest.fixture
def settings(root, mattermost):
    (root / "mattermost").write_text("command-token")
    (root / "mattermost-bot").write_text(BOT)
    return Settings(
        root=root,
        engine=False,
        public_url="",
        mattermost_url=mattermost.url,
        mattermost_token_file=root / "mattermost",
        mattermost_bot_token_file=root / "mattermost-bot",
        mattermost_team=TEAM,
    )


@pytest.fixture
def linked(services, mattermost):
    """Ada and bob have accounts and are linked; bob has started the rollout."""
    for name, number, role in (("ada", ADA, "admin"), ("bob", BOB, "operator")):
        services.execute(AddPerson(name=name, roles=(role,)), ENGINE)
        user = ChatUser(platform="Mattermost", team=mattermost.url, id=number, name=name)
        services.execute(LinkChat(code=offer(services, user), person=name), ENGINE)


@pytest.fixture
def client(application):
    application.address.url = "http://localhost"
    with TestClient(application.asgi, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def threads(services, application):
    return RolloutThreads(
        services,
        application.chat.room,
        "#g_integrations",
        may=lambda: True,
        pace=0,
        prefix=PREFIX,
    )


@pytest.fixture
def asked(client, linked, threads, mattermost, rollout):
    """Return the first message of the rollout's thread, and the question in it."""
    del client, linked
    threads.bring(rollout)
    root, question = mattermost.posts
    return root, question


@pytest.fixture
def click(client, mattermost):
    """Send what Mattermost sends when somebody clicks a button."""
    counted = iter(range(1000))

    def click(post, action, *, who=ADA, **more):
        integration = mattermost.button(post, action)
        assert integration["url"] == "http://localhost/mattermost/actions"
        given = {
            "user_id": who,
            "user_name": "ada",
            "channel_id": post["channel_id"],
            "channel_name": "g_integrations",
            "team_id": "t" * 26,
            "team_domain": TEAM,
            "post_id": post["id"],
            "trigger_id": f"trigger{next(counted)}",
            "type": "",
            "data_source": "",
            "context": integration["context"],
            **more,
        }
        return client.post("/mattermost/actions", json=given)

    return click


@pytest.fixture
def submit(client):
    """Send what Mattermost sends when somebody sends a form."""

    def submit(opened, reason, *, who=ADA, **more):
        given = {
            "type": "dialog_submission",
            "callback_id": opened["dialog"]["callback_id"],
            "state": opened["dialog"]["state"],
            "user_id": who,
            "channel_id": CHANNELS["g_integrations"],
            "team_id": "t" * 26,
            "submission": {"reason": reason},
            "cancelled": False,
            **more,
        }
        return client.post("/mattermost/dialogs", json=given)

    return submit


def phase(services, number):
    return services.ask(lambda unit: running.find(unit, number), ENGINE).rollout.phase


def entries(services, action):
    return services.execute(ListAudit(action=action), ENGINE).data["entries"]


def test_the_thread_says_where_the_rollout_stands_and_is_edited_in_place(
    threads, mattermost, services, rollout, asked
):
    root, question = asked
    assert root["channel_id"] == CHANNELS["g_integrations"]
    assert "waiting" in root["message"]
    assert question["root_id"] == root["id"]
    assert "Does it work?" in question["message"]
    threads.bring(rollout)
    assert (len(mattermost.posts), root["edits"]) == (2, 0)
    services.execute(AbortRollout(rollout=rollout, reason="@channel it is slow"), ENGINE)
    threads.bring(rollout)
    root, question, news = mattermost.posts
    assert "rolled back" in root["message"]
    assert "it is slow" in news["message"]
    assert "@channel" not in news["message"]
    assert news["root_id"] == root["id"]
    assert "actions" not in root["props"]["attachments"][0]
    assert question["props"]["attachments"] == [], "an old question has no buttons"


def test_a_message_whose_answer_was_lost_is_not_posted_again(
    threads, mattermost, rollout, client, linked
):
    del client, linked
    mattermost.fail["POST /posts"] = ["lost", 503]
    with pytest.raises(Unavailable):
        threads.bring(rollout)
    with pytest.raises(Unavailable):
        threads.bring(rollout)
    threads.bring(rollout)
    assert [bool(each["root_id"]) for each in mattermost.posts] == [False, True]


def test_a_click_approves_as_the_linked_person(click, mattermost, services, asked):
    root, question = asked
    assert click(question, "approve").json() == {}
    [told] = mattermost.wait(lambda: mattermost.said("@ada "))
    assert told["root_id"] == root["id"]
    [entry] = entries(services, "step.approve")
    assert (entry["who"], entry["source"]) == ("ada", "chat")


@pytest.mark.parametrize(
    "refused", [(NOBODY, "/flagstaff link"), (BOB, "somebody else has to approve")]
)
def test_who_may_not_is_told_so_alone(click, mattermost, services, rollout, asked, refused):
    who, why = refused
    answer = click(asked[1], "approve", who=who).json()
    assert why in answer["ephemeral_text"]
    assert phase(services, rollout) is Phase.WAITING
    assert len(mattermost.posts) == 2


def test_a_no_needs_a_reason(click, submit, mattermost, services, rollout, asked):
    root, question = asked
    assert click(question, "reject").json() == {}
    [opened] = mattermost.dialogs
    assert opened["url"] == "http://localhost/mattermost/dialogs"
    assert opened["dialog"]["elements"][0]["type"] == "textarea"
    assert submit(opened, "  ").json() == {"errors": {"reason": "a reason is needed"}}
    assert submit(opened, "", cancelled=True).json() == {}
    assert phase(services, rollout) is Phase.WAITING
    assert submit(opened, "the menu is empty").json() == {}
    assert phase(services, rollout) is Phase.PAUSED
    [told] = mattermost.wait(lambda: mattermost.said("@ada "))
    assert told["root_id"] == root["id"]
    [entry] = entries(services, "step.reject")
    assert (entry["who"], entry["reason"]) == ("ada", "the menu is empty")


def test_an_abort_says_what_it_does_and_needs_a_reason(
    click, submit, mattermost, services, rollout, asked
):
    click(asked[0], "abort")
    [opened] = mattermost.dialogs
    assert "ends for good" in opened["dialog"]["introduction_text"]
    assert submit(opened, "it is slow").json() == {}
    assert phase(services, rollout) is Phase.ROLLED_BACK
    again = submit(opened, "it is slow").json()
    assert "over" in again["error"] or "rolled back" in again["error"]


def test_what_is_forged_or_replayed_is_refused(click, submit, mattermost, services, rollout, asked):
    context = mattermost.button(asked[1], "approve")["context"]
    for changed in (
        {**context, "step": "other"},
        {**context, "rollout": 2},
        {**context, "action": "abort"},
        {**context, "seal": ""},
        {},
    ):
        assert click(asked[1], "approve", context=changed).status_code == 401
    click(asked[1], "reject", trigger_id="once")
    assert click(asked[1], "reject", trigger_id="once").status_code == 401
    [opened] = mattermost.dialogs
    assert submit(opened, "why", who=BOB).status_code == 401
    for state in ("", "x.y", opened["dialog"]["state"][:-1] + "0x"):
        assert submit(opened, "why", state=state).status_code == 401
    assert phase(services, rollout) is Phase.WAITING


def test_what_is_not_understood_is_said_so(client):
    for body in (b"", b"[]", b"{}", b'{"context": 1}'):
        for path in ("actions", "dialogs"):
            assert client.post(f"/mattermost/{path}", content=body).status_code in {400, 401}


def test_a_form_is_good_for_a_while_only():
    now = datetime(2026, 3, 2, tzinfo=UTC)
    state = Seal("secret", lambda: now).form({"user": ADA})
    assert Seal("secret", lambda: now + LASTS).filled(state, ADA)["user"] == ADA
    with pytest.raises(Refused, match="open for too long"):
        Seal("secret", lambda: now + LASTS + timedelta(seconds=1)).filled(state, ADA)
    with pytest.raises(Refused, match="not from a message of ours"):
        Seal("other", lambda: now).filled(state, ADA)


def test_announcements_are_made_once_and_mention_who_is_on_call(application, mattermost):
    said = Post(key="1/a/0", step="a", channels=("#production",), text="@here: soon")
    mattermost.fail["POST /posts"] = ["lost"]
    with pytest.raises(Unavailable):
        application.chat.announce(said, on_duty=(OnDuty(name="zoe"),))
    application.chat.announce(said, on_duty=(OnDuty(name="zoe"),))
    [post] = mattermost.posts
    assert post["message"] == "@\u200bhere: soon\nOn call: @zoe"
    with pytest.raises(Refused, match="refuses it with 404") as caught:
        application.chat.announce(Post(key="2", step="", channels=("#none",), text="x"))
    assert "FLAGSTAFF_MATTERMOST_TEAM" in caught.value.hint


def test_the_bot_needs_its_team(settings):
    with pytest.raises(UsageError, match="needs its team"):
        build(settings.model_copy(update={"mattermost_team": ""}))
