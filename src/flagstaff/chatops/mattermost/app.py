"""How is a slash command of Mattermost's answered?"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

import httpx2
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.chatops.answering import Answering
from flagstaff.chatops.message import Message, Reply
from flagstaff.errors import Unavailable
from flagstaff.services.chat_linking import ChatUser

PATIENCE: Final = 2.0
"""Seconds until "on it"; Mattermost itself waits for a few."""
WORKERS: Final = 8
NEEDED: Final = ("user_id", "user_name", "channel_id", "channel_name", "trigger_id")

log = logging.getLogger(__name__)


class Mattermost:
    """Answers slash commands.

    Args:
        answering: what does the work.
        address: where Mattermost is; answers go nowhere else.
        tokens: what its slash commands say that they are ours; each belongs to one team.
        first_seen: whether something with this name comes for the first time.
        patience: seconds until "on it".
    """

    def __init__(
        self,
        answering: Answering,
        address: str,
        tokens: tuple[str, ...],
        *,
        first_seen: Callable[[str], bool],
        patience: float = PATIENCE,
    ) -> None:
        self._answering = answering
        self._address = address.rstrip("/")
        self._tokens = tokens
        self._first_seen = first_seen
        self._patience = patience
        self.workers = ThreadPoolExecutor(WORKERS, "mattermost")

    def close(self) -> None:
        """Finish what was begun."""
        self.workers.shutdown()

    def routes(self) -> list[BaseRoute]:
        """Return the address that Mattermost sends to."""

        async def endpoint(request: Request) -> Response:
            return await run_sync(self._answer, request.headers, await request.body())

        return [Route("/mattermost/commands", endpoint, methods=["POST"])]

    def _answer(self, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            given = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
        except ValueError:
            return PlainTextResponse("this request is not understood\n", 400)
        token = headers.get("authorization", "").removeprefix("Token ") or given.get("token", "")
        if not self._is_ours(token):
            log.warning("a request to Mattermost's address is refused: the token is not known")
            return PlainTextResponse("the token is not Mattermost's\n", 401)
        if any(not given.get(name) for name in NEEDED):
            return PlainTextResponse("this request is not understood\n", 400)
        try:
            if not self._first_seen(f"mattermost\n{given['trigger_id']}"):
                return PlainTextResponse("the request was here before\n", 401)
        except Unavailable as error:
            return JSONResponse(_shown(Reply(text=str(error))))
        return JSONResponse(self._command(given))

    def _is_ours(self, token: str) -> bool:
        given = token.encode()
        return any(hmac.compare_digest(given, each.encode()) for each in self._tokens)

    def _command(self, given: Mapping[str, str]) -> dict[str, str]:
        # One server has one set of users, whatever their teams.
        user = ChatUser(
            platform="Mattermost",
            team=self._address,
            id=given["user_id"],
            name=given["user_name"],
        )
        message = Message(
            user=user,
            channel=f"#{given['channel_name']}",
            text=f"/flagstaff {given.get('text', '')}",
        )
        work = self.workers.submit(self._answering.answer, message)
        try:
            return _shown(work.result(self._patience))
        except TooLate:
            work.add_done_callback(partial(self._follow, given.get("response_url", "")))
            return _shown(Reply(text="on it; the answer follows"))

    def _follow(self, url: str, work: Future[Reply]) -> None:
        if not url.startswith(f"{self._address}/"):
            log.warning("a late answer has nowhere to go: %s is not Mattermost", url[:100])
            return
        try:
            httpx2.post(url, json=_shown(work.result()), timeout=10).raise_for_status()
        except httpx2.HTTPError as exc:
            log.warning("a late answer did not get through: %s", exc)


def _shown(reply: Reply) -> dict[str, str]:
    """Return an answer as Mattermost shows it; in a fence, nobody is notified by what it says."""
    fenced = reply.text.replace("```", "'''")
    return {
        "response_type": "ephemeral" if reply.private else "in_channel",
        "text": f"```\n{fenced}\n```",
    }
