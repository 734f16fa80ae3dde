"""Which chat is connected, and how?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from flagstaff.chatops.answering import Answering
from flagstaff.chatops.mattermost.app import Mattermost
from flagstaff.chatops.mattermost.buttons import MattermostButtons
from flagstaff.chatops.mattermost.room import MattermostRoom
from flagstaff.chatops.mattermost.seal import Seal
from flagstaff.chatops.threads import RolloutThreads
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import MissingExtra, UsageError
from flagstaff.integrations.notify.mattermost import PREFIX, MattermostBot
from flagstaff.integrations.telling import Announce
from flagstaff.server.settings import Settings
from flagstaff.services.chat_accounts import first_seen
from flagstaff.services.services import Services

if TYPE_CHECKING:
    from flagstaff.chatops.slack.app import SlackApp
    from flagstaff.integrations.notify.slack import Slack


@dataclass(slots=True)
class Chat:
    """The chats that are connected; without any, nothing is done.

    `announce` says an announcement, and is `None` where nothing can.
    """

    services: Services
    routes: list[BaseRoute] = field(default_factory=list)
    announce: Announce | None = None
    slack: Slack | None = None
    room: MattermostRoom | None = None
    starting: list[Callable[[], None]] = field(default_factory=list)
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def follow_rollouts(self, may: Callable[[], bool]) -> None:
        """Keep a thread for each rollout, as long as `may` says that this process shall."""
        channels = self.services.context.project.channels
        channel = channels.get("rollouts") or channels.get("team")
        if not channel:
            return
        found = []
        if self.slack is not None:
            from flagstaff.chatops.slack.room import SlackRoom  # noqa: PLC0415 an extra

            found.append(RolloutThreads(self.services, SlackRoom(self.slack), channel, may=may))
        if self.room is not None:
            found.append(RolloutThreads(self.services, self.room, channel, may=may, prefix=PREFIX))
        for threads in found:
            self.starting.append(threads.start)
            self.closing.callback(threads.stop)

    def start(self) -> None:
        """Begin to listen and to follow."""
        for each in self.starting:
            each()

    def close(self) -> None:
        """Finish what was begun."""
        self.closing.close()


def build_chat(settings: Settings, services: Services) -> Chat:
    """Return the chats that the settings connect.

    Raises:
        UsageError: the settings do not go together, or a file is missing.
        MissingExtra: Slack's package is not installed.
    """
    chat = Chat(services=services)
    if settings.slack_bot_token_file is not None:
        _connect_slack(chat, settings, settings.slack_bot_token_file)
    elif settings.slack_signing_secret_file or settings.slack_app_token_file:
        raise UsageError(
            "Slack needs its bot's token to be answered",
            hint="write it into a file, and name that in FLAGSTAFF_SLACK_BOT_TOKEN_FILE",
        )
    if settings.mattermost_token_file is not None:
        _connect_mattermost(chat, settings, settings.mattermost_token_file)
    return chat


def _connect_mattermost(chat: Chat, settings: Settings, tokens: Path) -> None:
    if not is_web_address(settings.mattermost_url):
        raise UsageError(
            "Mattermost needs its address, so that answers go there and nowhere else",
            hint="set FLAGSTAFF_MATTERMOST_URL, such as https://chat.internal",
        )
    answering, seen = Answering(chat.services), partial(first_seen, chat.services)
    app = Mattermost(
        answering, settings.mattermost_url, tuple(secret_in(tokens).split()), first_seen=seen
    )
    chat.closing.callback(app.close)
    chat.routes += app.routes()
    if settings.mattermost_bot_token_file is None:
        return
    if not settings.mattermost_team:
        raise UsageError(
            "Mattermost's bot needs its team, whose channels `channels:` names",
            hint="set FLAGSTAFF_MATTERMOST_TEAM to the team's name in addresses",
        )
    secret = secret_in(settings.mattermost_bot_token_file)
    url = settings.mattermost_url.rstrip("/")
    bot = MattermostBot(url, secret, settings.mattermost_team, chat.services)
    chat.room = MattermostRoom(bot=bot, seal=Seal(secret), ours=chat.services.context.address)
    buttons = MattermostButtons(answering, chat.room, url, app.workers, first_seen=seen)
    chat.routes += buttons.routes()
    if chat.announce is None:
        chat.announce = bot.announce


def _connect_slack(chat: Chat, settings: Settings, token_file: Path) -> None:
    try:
        from flagstaff.chatops.slack.app import SlackApp  # noqa: PLC0415 an extra
        from flagstaff.integrations.notify.slack import Slack, web_client  # noqa: PLC0415 same
    except ImportError as exc:
        raise MissingExtra.named("slack", package="slack-sdk") from exc
    services = chat.services
    client = web_client(secret_in(token_file), settings.slack_api_url)
    slack = Slack(client, services)
    app = SlackApp(
        Answering(services),
        slack,
        services.context.project.channels,
        first_seen=partial(first_seen, services),
    )
    chat.slack = slack
    chat.announce = slack.announce
    chat.closing.callback(app.close)
    _listen(chat, settings, app, slack)


def _listen(chat: Chat, settings: Settings, app: SlackApp, slack: Slack) -> None:
    from flagstaff.chatops.slack.routes import slack_routes  # noqa: PLC0415 an extra
    from flagstaff.chatops.slack.signature import Signatures  # noqa: PLC0415 same

    seen = partial(first_seen, chat.services)
    if settings.slack_signing_secret_file is not None:
        signatures = Signatures(secret_in(settings.slack_signing_secret_file), seen)
        chat.routes += slack_routes(app, signatures)
    if settings.slack_app_token_file is not None:
        from flagstaff.chatops.slack.socket import Socket  # noqa: PLC0415 same

        token = secret_in(settings.slack_app_token_file)
        socket = Socket(app, slack.client, token, first_seen=seen)
        chat.starting.append(socket.start)
        chat.closing.callback(socket.stop)


def secret_in(path: Path) -> str:
    """Return the secret in a file.

    Raises:
        UsageError: there is none.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}", hint="put the secret there") from exc
    if not text:
        raise UsageError(f"{path} is empty", hint="put the secret there, and nothing else")
    return text
