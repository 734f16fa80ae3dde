"""What is done with what Slack sends, over HTTP or a socket?"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.webhook import WebhookClient

from flagstaff.chatops.answering import Answering
from flagstaff.chatops.message import Message, Reply
from flagstaff.chatops.slack import blocks
from flagstaff.chatops.slack.blocks import ABORT, APPROVE, REASON, REJECT, form, said
from flagstaff.commands.model import AbortRollout, ApproveStep, Command, RejectStep
from flagstaff.errors import FlagstaffError
from flagstaff.integrations.notify.slack import Slack, escaped
from flagstaff.services.chat_linking import ChatUser

Payload = Mapping[str, Any]
Answer = dict[str, Any]

PATIENCE: Final = 2.0
"""Seconds until "on it"; Slack itself waits for three."""
WORKERS: Final = 16
NAMELESS: Final = {"", "privategroup", "directmessage"}
"""What Slack writes in place of some channels' names."""
_MENTION = re.compile(r"^\s*(?:<@[A-Z0-9]+(?:\|[^>]*)?>\s*)+")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _From:
    """Where an answer goes."""

    message: Message
    channel: str
    thread: str = ""
    response_url: str = ""


class SlackApp:
    """Answers slash commands, clicks, forms and mentions; safe from any thread.

    Args:
        answering: what does the work.
        first_seen: whether something with this name comes for the first time.
        slack: where answers are posted.
        channels: the project's channels, by what they are for.
        patience: seconds until "on it".
    """

    def __init__(
        self,
        answering: Answering,
        slack: Slack,
        channels: Mapping[str, str],
        *,
        first_seen: Callable[[str], bool],
        patience: float = PATIENCE,
    ) -> None:
        self._answering = answering
        self._slack = slack
        self._channels = channels
        self._first_seen = first_seen
        self._patience = patience
        self._workers = ThreadPoolExecutor(WORKERS, "slack")

    def close(self) -> None:
        """Finish what was begun."""
        self._workers.shutdown()

    def command(self, payload: Payload) -> Answer:
        """Return the answer to a slash command; what takes long follows in a thread."""
        if payload.get("ssl_check"):
            return {}
        user = _user(payload["user_id"], payload["team_id"], payload.get("user_name", ""))
        channel = str(payload.get("channel_id", ""))
        message = Message(
            user=user,
            channel=self._name(channel, payload.get("channel_name", "")),
            text=f"/flagstaff {payload.get('text', '')}",
        )
        source = _From(
            message=message, channel=channel, response_url=str(payload.get("response_url", ""))
        )
        work = self._workers.submit(self._answering.answer, message)
        try:
            reply = work.result(self._patience)
        except TooLate:
            self._workers.submit(self._follow, source, work)
            return _shown("on it; the answer follows", private=True)
        return _shown(said(reply.text), private=reply.private)

    def interact(self, payload: Payload) -> Answer:
        """Return the answer to a click or a form."""
        match payload.get("type"):
            case "block_actions":
                for action in payload.get("actions", ()):
                    self._click(payload, action)
                return {}
            case "view_submission":
                return self._submitted(payload)
            case _:
                return {}

    def event(self, payload: Payload) -> None:
        """Answer a mention in its thread; other events say nothing to us."""
        event = payload.get("event", {})
        if event.get("type") != "app_mention" or event.get("bot_id") or "user" not in event:
            return
        # Slack sends an event again whose answer it has missed, newly signed.
        if not self._first_seen(f"slack-event\n{payload['event_id']}"):
            return
        user = _user(event["user"], event.get("team") or payload.get("team_id", ""), event["user"])
        channel = str(event["channel"])
        text = _MENTION.sub("", str(event.get("text", "")))
        message = Message(
            user=user, channel=self._name(channel, ""), text=f"/flagstaff {text or 'help'}"
        )
        source = _From(
            message=message, channel=channel, thread=str(event.get("thread_ts") or event["ts"])
        )
        work = self._workers.submit(self._answering.answer, message)
        self._workers.submit(self._follow, source, work)

    def _click(self, payload: Payload, action: Payload) -> None:
        name = action.get("action_id")
        if name not in {APPROVE, REJECT, ABORT}:
            return
        target = json.loads(action["value"])
        source = self._clicked(payload)
        if name == APPROVE:
            command = ApproveStep(rollout=target["rollout"], step=target["step"])
            self._workers.submit(self._follow, source, self._decide(source, command))
            return
        kept = {
            **target,
            "channel": source.channel,
            "name": source.message.channel,
            "thread": source.thread,
        }
        try:
            self._slack.open_form(str(payload["trigger_id"]), form(str(name), kept))
        except FlagstaffError as error:
            self._workers.submit(self._tell, source, Reply(text=str(error)))

    def _submitted(self, payload: Payload) -> Answer:
        view = payload["view"]
        target = json.loads(view["private_metadata"])
        reason = str(view["state"]["values"][REASON][REASON].get("value") or "").strip()
        if not reason:
            return _wrong("a reason is needed")
        command: Command
        match view["callback_id"]:
            case blocks.REJECT:
                command = RejectStep(rollout=target["rollout"], step=target["step"], reason=reason)
            case blocks.ABORT:
                command = AbortRollout(rollout=target["rollout"], reason=reason)
            case _:
                return {}
        source = self._clicked(payload, target)
        work = self._decide(source, command)
        try:
            reply = work.result(self._patience)
        except TooLate:
            self._workers.submit(self._follow, source, work)
            return {}
        if not reply.ok:
            return _wrong(reply.text)
        self._workers.submit(self._tell, source, reply)
        return {}

    def _clicked(self, payload: Payload, kept: Payload | None = None) -> _From:
        who = payload["user"]
        team = who.get("team_id") or (payload.get("team") or {}).get("id", "")
        user = _user(who["id"], team, who.get("username") or who.get("name", ""))
        if kept is not None:
            channel, name, thread = kept["channel"], kept["name"], kept["thread"]
        else:
            where, posted = payload.get("channel") or {}, payload.get("message") or {}
            channel = str(where.get("id", ""))
            name = self._name(channel, where.get("name", ""))
            thread = str(posted.get("thread_ts") or posted.get("ts") or "")
        return _From(
            message=Message(user=user, channel=name, text=""),
            channel=channel,
            thread=thread,
            response_url=str(payload.get("response_url", "")),
        )

    def _decide(self, source: _From, command: Command) -> Future[Reply]:
        return self._workers.submit(self._answering.carry_out, source.message, command)

    def _follow(self, source: _From, work: Future[Reply]) -> None:
        """Tell the outcome of long work, in a thread that begins with what was asked for."""
        if not source.thread:
            asked = f"<@{source.message.user.id}> asked: `{escaped(source.message.text)}`"
            try:
                thread = self._slack.say(source.channel, asked).ts
            except FlagstaffError as error:
                log.info("no thread for a long answer: %s", error)
            else:
                source = _From(
                    message=source.message,
                    channel=source.channel,
                    thread=thread,
                    response_url=source.response_url,
                )
        self._tell(source, work.result())

    def _tell(self, source: _From, reply: Reply) -> None:
        user = source.message.user.id
        try:
            if reply.private:
                self._slack.whisper(source.channel, user, said(reply.text), source.thread)
            else:
                text = f"<@{user}> {said(reply.text)}"
                self._slack.say(source.channel, text, thread=source.thread)
        except FlagstaffError as error:
            if source.response_url:
                self._respond(source.response_url, reply)
            else:
                log.info("an answer goes to the asker alone: %s", error)
                self._tell_alone(user, reply)

    def _tell_alone(self, user: str, reply: Reply) -> None:
        """Say it in a conversation of the two: what somebody asked for is never just dropped."""
        try:
            self._slack.say(user, said(reply.text))
        except FlagstaffError as error:
            log.warning("an answer did not get through: %s", error)

    def _respond(self, url: str, reply: Reply) -> None:
        answer = {**_shown(said(reply.text), private=reply.private), "replace_original": False}
        try:
            WebhookClient(url, timeout=10, retry_handlers=[]).send_dict(answer)
        except (OSError, ValueError) as exc:
            log.warning("an answer did not get through: %s", exc)

    def _name(self, channel: str, name: str) -> str:
        """Return a channel's name with `#`, or its number where the project names it so."""
        if channel and channel in self._channels.values():
            return channel
        if name in NAMELESS or name.startswith("mpdm-"):
            name = self._slack.channel_name(channel) if channel else ""
        return f"#{name}" if name else ""


def _user(number: str, team: str, name: str) -> ChatUser:
    return ChatUser(platform="Slack", team=str(team), id=str(number), name=str(name))


def _shown(text: str, *, private: bool) -> Answer:
    return {"response_type": "ephemeral" if private else "in_channel", "text": text}


def _wrong(text: str) -> Answer:
    return {"response_action": "errors", "errors": {REASON: text[:1000]}}
