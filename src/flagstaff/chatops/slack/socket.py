"""How do Slack's messages arrive where nobody outside can reach us? By a socket we open."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from flagstaff.chatops.slack.app import SlackApp
from flagstaff.errors import Unavailable

LONGEST_WAIT: Final = 60.0
"""Seconds between two tries to connect, at most."""

log = logging.getLogger(__name__)


class Socket:
    """Keeps a connection to Slack, and a new one when that ends.

    Args:
        app: what answers.
        client: Slack's client.
        app_token: what the app connects with.
        first_seen: whether an envelope comes for the first time.
        ping_interval: seconds between looks at whether the connection lives.
    """

    def __init__(
        self,
        app: SlackApp,
        client: WebClient,
        app_token: str,
        *,
        first_seen: Callable[[str], bool],
        ping_interval: float = 5,
    ) -> None:
        self._app = app
        self._first_seen = first_seen
        self._client = SocketModeClient(
            app_token, web_client=client, logger=log, ping_interval=ping_interval
        )
        self._client.socket_mode_request_listeners.append(self._hear)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack-socket", daemon=True)

    def start(self) -> None:
        """Connect, as soon as Slack can be reached."""
        self._thread.start()

    def stop(self) -> None:
        """Hear no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._client.close()

    def _connect(self) -> None:
        """Make the first connection; the client itself looks after all that follow."""
        wait = 1.0
        while not self._over.is_set():
            try:
                self._client.connect()
            except Exception as exc:  # noqa: BLE001 whatever it is, trying again is the answer
                log.warning("no connection to Slack yet: %s", exc)
                self._over.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                return

    def _hear(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        answer: Mapping[str, Any] | None = None
        try:
            # An envelope whose receipt got lost comes again on the next connection.
            if self._first_seen(f"slack-envelope\n{request.envelope_id}"):
                answer = self._answer(request)
        except Unavailable as error:
            log.warning("a message from Slack is not answered: %s", error)
            if request.type == "slash_commands":
                answer = {"response_type": "ephemeral", "text": str(error)}
        except Exception:
            log.exception("a message from Slack met a fault")
        receipt = SocketModeResponse(request.envelope_id, payload=dict(answer) if answer else None)
        client.send_socket_mode_response(receipt)

    def _answer(self, request: SocketModeRequest) -> Mapping[str, Any] | None:
        match request.type:
            case "slash_commands":
                return self._app.command(request.payload)
            case "interactive":
                return self._app.interact(request.payload)
            case "events_api":
                self._app.event(request.payload)
        return None
