"""What is done when somebody clicks in Mattermost, or fills in a form there?"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import partial
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.chatops.answering import Answering
from flagstaff.chatops.mattermost.room import ABORT, APPROVE, REASON, REJECT, MattermostRoom
from flagstaff.chatops.message import Message, Reply
from flagstaff.commands.model import AbortRollout, ApproveStep, Command, RejectStep
from flagstaff.errors import FlagstaffError, Refused
from flagstaff.services.chat_linking import ChatUser

PATIENCE: Final = 2.0
"""Seconds until "on it", as for commands."""

Handle = Callable[[Mapping[str, Any]], dict[str, Any]]

log = logging.getLogger(__name__)


class MattermostButtons:
    """Answers clicks and forms.

    Args:
        answering: what does the work.
        room: where late answers are posted, and what knows its own buttons again.
        server: what stands for all teams of this Mattermost, as in commands.
        workers: where work is done that may take long.
        first_seen: whether something with this name comes for the first time.
        patience: seconds until "on it".
    """

    def __init__(
        self,
        answering: Answering,
        room: MattermostRoom,
        server: str,
        workers: ThreadPoolExecutor,
        *,
        first_seen: Callable[[str], bool],
        patience: float = PATIENCE,
    ) -> None:
        self._answering = answering
        self._room = room
        self._server = server
        self._workers = workers
        self._first_seen = first_seen
        self._patience = patience

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that Mattermost sends clicks and forms to."""

        def checked(handle: Handle) -> Callable[[Request], Any]:
            async def endpoint(request: Request) -> Response:
                return await run_sync(self._answered, handle, await request.body())

            return endpoint

        return [
            Route("/mattermost/actions", checked(self._clicked), methods=["POST"]),
            Route("/mattermost/dialogs", checked(self._submitted), methods=["POST"]),
        ]

    def _answered(self, handle: Handle, body: bytes) -> Response:
        try:
            return JSONResponse(handle(json.loads(body)))
        except Refused as error:
            log.warning("a click in Mattermost is refused: %s", error)
            return PlainTextResponse(f"{error.message}\n", 401)
        except FlagstaffError as error:
            return JSONResponse({"ephemeral_text": str(error), "error": str(error)})
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            log.warning("a request of Mattermost's is not understood: %r", exc)
            return PlainTextResponse("this request is not understood\n", 400)

    def _clicked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        told = self._room.seal.opened(given["context"])
        if not self._first_seen(f"mattermost\n{given['trigger_id']}"):
            raise Refused("the request was here before")
        told |= {
            "user": str(given["user_id"]),
            "name": str(given.get("user_name", "")),
            "channel": str(given["channel_id"]),
            "where": str(given.get("channel_name", "")),
            "post": str(given["post_id"]),
        }
        if told["action"] == APPROVE:
            command = ApproveStep(rollout=told["rollout"], step=told["step"])
            reply = self._decided(told, command)
            return {} if reply is None else {"ephemeral_text": reply.text}
        url = f"{self._room.address}/mattermost/dialogs"
        self._room.bot.open_form(str(given["trigger_id"]), url, self._room.form(told))
        return {}

    def _submitted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        told = self._room.seal.filled(str(given["state"]), str(given["user_id"]))
        if given.get("cancelled"):
            return {}
        reason = str((given.get("submission") or {}).get(REASON) or "").strip()
        if not reason:
            return {"errors": {REASON: "a reason is needed"}}
        command: Command
        match told["action"]:
            case x if x == REJECT:
                command = RejectStep(rollout=told["rollout"], step=told["step"], reason=reason)
            case x if x == ABORT:
                command = AbortRollout(rollout=told["rollout"], reason=reason)
            case _:
                raise Refused("there is no such form")
        reply = self._decided(told, command)
        if reply is not None and not reply.ok:
            return {"error": reply.text, "errors": {REASON: reply.text[:500]}}
        return {}

    def _decided(self, told: Mapping[str, Any], command: Command) -> Reply | None:
        """Return the answer if it is a no and comes in time; all others are told in the thread."""
        message = Message(user=self._user(told), channel=f"#{told['where']}", text="")
        work = self._workers.submit(self._answering.carry_out, message, command)
        try:
            reply = work.result(self._patience)
        except TooLate:
            work.add_done_callback(partial(self._follow, told))
            return Reply(text="on it; the answer follows", ok=True)
        if not reply.private:
            self._workers.submit(self._tell, told, reply)
            return None
        return reply

    def _follow(self, told: Mapping[str, Any], work: Future[Reply]) -> None:
        self._tell(told, work.result())

    def _tell(self, told: Mapping[str, Any], reply: Reply) -> None:
        text = self._room.escaped(reply.text)
        try:
            if reply.private:
                self._room.bot.tell(told["user"], text)
            else:
                thread = self._room.thread_of(told["post"])
                self._room.bot.say(told["channel"], f"@{told['name']} {text}", thread=thread)
        except FlagstaffError as error:
            log.warning("an answer in Mattermost did not get through: %s", error)

    def _user(self, told: Mapping[str, Any]) -> ChatUser:
        return ChatUser(
            platform="Mattermost", team=self._server, id=told["user"], name=told["name"]
        )
