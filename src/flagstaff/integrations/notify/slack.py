"""How does something get into Slack once, whatever happens while it is posted?

Before a message leaves, that it is to leave is written down; afterwards, where it is. A process
that ended in between leaves the first note alone, and then the channel is read for our mark, so
nothing is posted twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from flagstaff.errors import FlagstaffError, Refused, Unavailable
from flagstaff.rollouts.effect import Post
from flagstaff.services.chat_accounts import posted, remember
from flagstaff.services.ports import OnDuty
from flagstaff.services.services import Services

Block = dict[str, Any]

TIMEOUT: Final = 10
"""Seconds; far below the time after which a try of an effect counts as lost."""

MARK: Final = "flagstaff_message"
SKEW: Final = timedelta(minutes=5)
"""By how much Slack's clock may differ from ours."""

LATER: Final = {
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
}
HINTS: Final = {
    "channel_not_found": "name a channel that exists under `channels:` in flagstaff.yml",
    "not_in_channel": "invite the app there: /invite @flagstaff",
    "is_archived": "choose another channel under `channels:` in flagstaff.yml",
    "missing_scope": "install the app again with deploy/slack-manifest.yaml",
    "invalid_auth": "put the bot's token into the file of FLAGSTAFF_SLACK_BOT_TOKEN_FILE",
    "token_revoked": "install the app again, and put the new token into its file",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message is, in Slack's own names."""

    channel: str
    ts: str


def web_client(token: str, address: str) -> WebClient:
    """Return Slack's client.

    It tries nothing twice by itself: after a lost answer, a second try would be a second message.
    """
    return WebClient(token=token, base_url=address, timeout=TIMEOUT, retry_handlers=[])


class Slack:
    """What is said in one workspace; safe from any thread."""

    def __init__(self, client: WebClient, services: Services) -> None:
        self.client = client
        self._services = services
        self._ids: dict[str, str] = {}

    def announce(self, announcement: Post, /, *, on_duty: tuple[OnDuty, ...] = ()) -> None:
        """Post to every channel; what is posted already stays alone.

        Those who are on call are mentioned, by name where their number here is not known.

        Raises:
            Unavailable: Slack does not answer, or says "later".
            Refused: Slack will never take it.
        """
        text = escaped(announcement.text)
        if on_duty:
            names = (each.mention or escaped(each.handle) for each in on_duty)
            text += f"\nOn call: {' '.join(names)}"
        for channel in announcement.channels:
            self.post_once(f"{announcement.key}/{channel}", channel, text)

    def post_once(
        self, key: str, channel: str, text: str, *, blocks: Sequence[Block] = (), thread: str = ""
    ) -> Place:
        """Post a message unless the one with this key is there; return where it is.

        Raises:
            Unavailable: Slack does not answer, or says "later".
            Refused: Slack will never take it.
        """
        known = posted(self._services, key)
        if known is not None and known.ts:
            return Place(channel=known.channel, ts=known.ts)
        where = known.channel if known is not None else self.channel_id(channel)
        ts = self._find(where, key, known.at, thread) if known is not None else ""
        if known is None:
            remember(self._services, key, channel=where, ts="")
        if not ts:
            mark = {"event_type": MARK, "event_payload": {"key": key}}
            ts = self.say(where, text, blocks=blocks, thread=thread, metadata=mark).ts
        remember(self._services, key, channel=where, ts=ts, digest=digest(text, blocks))
        return Place(channel=where, ts=ts)

    def keep(self, key: str, text: str, blocks: Sequence[Block] = ()) -> None:
        """Let the message with this key read like this; if it does already, nothing is sent."""
        known = posted(self._services, key)
        new = digest(text, blocks)
        if known is None or not known.ts or known.digest == new:
            return
        self._call(
            self.client.chat_update,
            channel=known.channel,
            ts=known.ts,
            text=text,
            blocks=list(blocks),
        )
        remember(self._services, key, channel=known.channel, ts=known.ts, digest=new)

    def say(
        self,
        channel: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread: str = "",
        metadata: Block | None = None,
    ) -> Place:
        """Post a message."""
        answer = self._call(
            self.client.chat_postMessage,
            channel=channel,
            text=text,
            blocks=list(blocks) or None,
            thread_ts=thread or None,
            metadata=metadata,
            unfurl_links=False,
        )
        return Place(channel=answer["channel"], ts=answer["ts"])

    def whisper(self, channel: str, user: str, text: str, thread: str = "") -> None:
        """Say something in a channel that one person alone sees."""
        self._call(
            self.client.chat_postEphemeral,
            channel=channel,
            user=user,
            text=text,
            thread_ts=thread or None,
        )

    def open_form(self, trigger: str, view: Block) -> None:
        """Show a form to whoever has just clicked."""
        self._call(self.client.views_open, trigger_id=trigger, view=view)

    def channel_id(self, channel: str) -> str:
        """Return Slack's own name of a channel, which is given by that or as `#name`.

        Raises:
            Refused: there is none that the app can see.
        """
        if channel[:1] in {"C", "G", "D"} and channel.isalnum() and channel.isupper():
            return channel
        name = channel.lstrip("#")
        if name not in self._ids:
            self._ids.update(self._channels())
        if name not in self._ids:
            raise Refused(
                f"Slack has no channel #{name} that the app can see",
                hint="correct `channels:` in flagstaff.yml, or invite the app if it is private",
            )
        return self._ids[name]

    def channel_name(self, channel: str) -> str:
        """Return the name of a channel without `#`, empty if it has none or is not to be seen."""
        for name, known in tuple(self._ids.items()):
            if known == channel:
                return name
        try:
            answer = self._call(self.client.conversations_info, channel=channel)
        except FlagstaffError as exc:
            log.warning("the name of a channel is not known: %s", exc)
            return ""
        return str(answer["channel"].get("name", ""))

    def _channels(self) -> dict[str, str]:
        found, cursor = {}, ""
        while True:
            answer = self._call(
                self.client.conversations_list,
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=1000,
                cursor=cursor or None,
            )
            found.update({each["name"]: each["id"] for each in answer["channels"]})
            cursor = answer.get("response_metadata", {}).get("next_cursor", "")
            if not cursor:
                return found

    def _find(self, channel: str, key: str, since: datetime, thread: str) -> str:
        """Return the time stamp of the message with our mark, empty if it was never posted."""
        where = {"channel": channel, "ts": thread} if thread else {"channel": channel}
        method = self.client.conversations_replies if thread else self.client.conversations_history
        oldest, cursor = f"{(since - SKEW).timestamp():.6f}", ""
        while True:
            answer = self._call(
                method,
                **where,
                oldest=oldest,
                include_all_metadata=True,
                limit=200,
                cursor=cursor or None,
            )
            for each in answer["messages"]:
                if each.get("metadata", {}).get("event_payload", {}).get("key") == key:
                    return str(each["ts"])
            cursor = answer.get("response_metadata", {}).get("next_cursor", "")
            if not cursor:
                return ""

    def _call(self, method: Callable[..., Any], **values: Any) -> Any:
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return method(**given).data
        except SlackApiError as exc:
            raise _explained(exc) from exc
        except (OSError, HTTPException, SlackClientError) as exc:
            raise Unavailable(f"Slack does not answer: {exc}") from exc


def escaped(text: str) -> str:
    """Return a text in which nothing is a mention or a link of Slack's."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def digest(text: str, blocks: Sequence[Block] = ()) -> str:
    """Return what stands for how a message reads."""
    return hashlib.sha256(json.dumps([text, list(blocks)], sort_keys=True).encode()).hexdigest()


def _explained(error: SlackApiError) -> FlagstaffError:
    answer: Any = error.response
    data = getattr(answer, "data", answer)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    status = int(getattr(answer, "status_code", None) or 0)
    if code in LATER or status == 429 or status >= 500:  # noqa: PLR2004 HTTP's own numbers
        return Unavailable(f"Slack says {code or status}: later")
    return Refused(f"Slack says no: {code or status}", hint=HINTS.get(code, ""))
