"""How does something get into Mattermost once, whatever happens while it is posted?

As in Slack: that a message is to leave is written down before, and where it is afterwards; between
the two, the channel is read for our mark, which is a property of the post.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from flagstaff.errors import Refused
from flagstaff.integrations.notify.answering import asked, client, json_of
from flagstaff.rollouts.effect import Post
from flagstaff.services.chat_accounts import posted, remember
from flagstaff.services.ports import OnDuty
from flagstaff.services.services import Services

Part = Mapping[str, Any]

NAME: Final = "Mattermost"
HINT: Final = (
    "look at FLAGSTAFF_MATTERMOST_BOT_TOKEN_FILE and FLAGSTAFF_MATTERMOST_TEAM, and add the bot to "
    "the team and its channels"
)
PREFIX: Final = "mattermost:"
"""Before the names under which messages are remembered: a Slack may be connected as well."""

MARK: Final = "flagstaff_key"
SKEW: Final = timedelta(minutes=5)
_ID: Final = re.compile(r"[a-z0-9]{26}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message is; `ts` is the post's id."""

    channel: str
    ts: str


class MattermostBot:
    """What a bot says in one team; safe from any thread.

    Args:
        address: where Mattermost is.
        token: the bot's.
        team: the team whose channels are meant.
        services: where it is remembered what was said.
    """

    def __init__(self, address: str, token: str, team: str, services: Services) -> None:
        self._address = f"{address.rstrip('/')}/api/v4"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._team = team
        self._services = services
        self._ids: dict[str, str] = {}

    def announce(self, announcement: Post, /, *, on_duty: tuple[OnDuty, ...] = ()) -> None:
        """Post to every channel, mentioning those who are on call; what is there stays alone.

        Raises:
            Unavailable: Mattermost does not answer.
            Refused: it will never take it.
        """
        text = escaped(announcement.text)
        if on_duty:
            text += f"\nOn call: {' '.join(each.handle for each in on_duty)}"
        for channel in announcement.channels:
            self.post_once(f"{PREFIX}{announcement.key}/{channel}", channel, text)

    def post_once(
        self,
        key: str,
        channel: str,
        text: str,
        *,
        attachments: Sequence[Part] = (),
        thread: str = "",
    ) -> Place:
        """Post a message unless the one with this key is there; return where it is."""
        known = posted(self._services, key)
        if known is not None and known.ts:
            return Place(channel=known.channel, ts=known.ts)
        where = known.channel if known is not None else self.channel_id(channel)
        post = self._find(where, key, known.at) if known is not None else ""
        if known is None:
            remember(self._services, key, channel=where, ts="")
        if not post:
            post = self.say(where, text, attachments=attachments, thread=thread, key=key).ts
        remember(self._services, key, channel=where, ts=post, digest=_digest(text, attachments))
        return Place(channel=where, ts=post)

    def keep(self, key: str, text: str, attachments: Sequence[Part] = ()) -> None:
        """Let the message with this key read like this; if it does already, nothing is sent."""
        known = posted(self._services, key)
        new = _digest(text, attachments)
        if known is None or not known.ts or known.digest == new:
            return
        body = {"message": text, "props": _props(key, attachments)}
        self._call("PUT", f"/posts/{known.ts}/patch", body)
        remember(self._services, key, channel=known.channel, ts=known.ts, digest=new)

    def say(
        self,
        channel: str,
        text: str,
        *,
        attachments: Sequence[Part] = (),
        thread: str = "",
        key: str = "",
    ) -> Place:
        """Post a message."""
        body: dict[str, Any] = {"channel_id": channel, "message": text}
        if thread:
            body["root_id"] = thread
        if key or attachments:
            body["props"] = _props(key, attachments)
        made = self._call("POST", "/posts", body)
        return Place(channel=str(made["channel_id"]), ts=str(made["id"]))

    def thread_of(self, post: str) -> str:
        """Return the first post of the thread in which a post is."""
        found = self._call("GET", f"/posts/{quote(post, safe='')}")
        return str(found.get("root_id") or found["id"])

    def tell(self, user: str, text: str) -> None:
        """Say something to one person alone."""
        me = self._call("GET", "/users/me")["id"]
        channel = self._call("POST", "/channels/direct", [me, user])["id"]
        self.say(str(channel), text)

    def open_form(self, trigger: str, url: str, dialog: Part) -> None:
        """Show a form to whoever has just clicked; it is sent to `url`."""
        body = {"trigger_id": trigger, "url": url, "dialog": dict(dialog)}
        self._call("POST", "/actions/dialogs/open", body)

    def channel_id(self, channel: str) -> str:
        """Return the id of a channel, which is given by that or as `#name`.

        Raises:
            Refused: there is none that the bot can see.
        """
        if _ID.fullmatch(channel):
            return channel
        name = channel.lstrip("#")
        if name not in self._ids:
            path = f"/teams/name/{quote(self._team, safe='')}/channels/name/{quote(name, safe='')}"
            self._ids[name] = str(self._call("GET", path)["id"])
        return self._ids[name]

    def _find(self, channel: str, key: str, since: datetime) -> str:
        """Return the id of the post with our mark, empty if it was never made."""
        from_ = int((since - SKEW).timestamp() * 1000)
        listed = self._call("GET", f"/channels/{channel}/posts?since={from_}")
        for each in listed.get("posts", {}).values():
            mark = (each.get("props") or {}).get(MARK)
            if mark == key and not each.get("delete_at"):
                return str(each["id"])
        return ""

    def _call(self, method: str, path: str, body: object = None) -> Any:
        with client(self._headers) as chat:
            answer = asked(
                NAME, HINT, lambda: chat.request(method, f"{self._address}{path}", json=body)
            )
        found = json_of(NAME, answer)
        if not isinstance(found, dict):
            raise Refused(f"{NAME} answers with something that is not understood", hint=HINT)
        return found


def escaped(text: str) -> str:
    """Return a text in which nothing is a mention: a mark that nobody sees stands behind each @."""
    return text.replace("@", "@\u200b")


def _props(key: str, attachments: Sequence[Part]) -> dict[str, Any]:
    props: dict[str, Any] = {MARK: key} if key else {}
    # Without any, an empty list takes those of an edited post away.
    return {**props, "attachments": [dict(each) for each in attachments]}


def _digest(text: str, attachments: Sequence[Part]) -> str:
    read = json.dumps([text, [dict(each) for each in attachments]], sort_keys=True)
    return hashlib.sha256(read.encode()).hexdigest()
