"""What does RabbitMQ say of its queues, and of who holds their messages?

AMQP tells how many messages of a queue are ready, and neither which queues there are nor what was
handed out. The management plugin tells both, some seconds late.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from flagstaff.errors import Unavailable, UsageError
from flagstaff.workers.asking import BEAT

LATE = 12.0
"""Seconds after which its figures are those of now: queues report every five, and their reports are
read every five."""

SEES_ALL = {"administrator", "monitoring"}
"""Tags of users who are told of the connections of others."""

NOT_JOBS = (".celery.pidbox", ".reply.celery.pidbox")
"""Ends of names of queues in which workers are asked questions, and answered."""

LIMITS = {"max-length", "max-length-bytes", "max-in-memory-length"}

UNAUTHORIZED = 401
OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What is known of one queue; numbers are None until it has reported some.

    Attributes:
        counts_deliveries: whether a message that is looked at comes nearer to being thrown away.
        limited: whether what is published may be thrown away, or throw others away.
        private: whether it is one connection's alone: no job waits there for anybody.
    """

    name: str
    ready: int | None
    unacked: int | None
    consumers: int | None
    counts_deliveries: bool
    limited: bool
    private: bool

    @property
    def is_control(self) -> bool:
        """Say whether workers are asked questions there; beat knows one, and not ours."""
        return self.name.endswith(NOT_JOBS[0]) and not self.name.startswith(BEAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was said at one time, of one virtual host.

    Attributes:
        queues: in which jobs may wait.
        workers: so many listen to questions.
        idle_holders: messages in the hands of who takes no jobs: a worker that is about to end, or
            somebody who looks.
    """

    queues: tuple[Queue, ...]
    workers: int
    idle_holders: int


class Management:
    """Reads one virtual host.

    Args:
        address: of the management plugin, such as `http://rabbitmq.internal:15672`.
        user: who asks, and the password.
        vhost: that is asked about.
        timeout: seconds for an answer.
    """

    def __init__(
        self, address: str, user: tuple[str, str], vhost: str, *, timeout: float = 10.0
    ) -> None:
        self._address = address.rstrip("/")
        if not self._address.startswith(("http://", "https://")):
            raise UsageError(
                "--management is no web address", hint="such as http://rabbitmq.internal:15672"
            )
        self._vhost = quote(vhost, safe="")
        # RabbitMQ reads UTF-8 here, and urllib3 would write Latin-1, or fail with the password.
        basic = base64.b64encode(":".join(user).encode()).decode()
        headers = {"authorization": f"Basic {basic}"}
        self._http = urllib3.PoolManager(headers=headers, timeout=timeout, retries=1)

    def report(self) -> Report:
        """Return what it says now.

        Raises:
            Unavailable: it does not answer, or not to this user.
        """
        rows = self._get(f"queues/{self._vhost}")
        queues = tuple(_queue(row) for row in rows)
        channels = self._get(f"vhosts/{self._vhost}/channels")
        return Report(
            queues=tuple(each for each in queues if not (each.private or _is_talk(each.name))),
            # Two workers of one name share their queue, and only one of them hears a question.
            workers=sum(each.consumers or 0 for each in queues if each.is_control),
            idle_holders=sum(
                int(row.get("messages_unacknowledged") or 0)
                for row in channels
                if not row.get("consumer_count")
            ),
        )

    def check(self) -> None:
        """Make sure that this user is told everything.

        Raises:
            UsageError: it is not.
        """
        tags = self._get("whoami").get("tags", "")
        found = {*(tags.split(",") if isinstance(tags, str) else tags)}
        if not found & SEES_ALL:
            raise UsageError(
                "this user of RabbitMQ is not told who else holds messages",
                hint="give it the tag `monitoring`: rabbitmqctl set_user_tags NAME monitoring",
            )

    def _get(self, path: str) -> Any:
        try:
            answer = self._http.request("GET", f"{self._address}/api/{path}")
        except urllib3.exceptions.HTTPError as exc:
            raise Unavailable(
                f"RabbitMQ's management does not answer: {exc}",
                hint="rabbitmq-plugins enable rabbitmq_management",
            ) from exc
        if answer.status == UNAUTHORIZED:
            raise Unavailable("RabbitMQ's management does not know this user, or its password")
        if answer.status != OK:
            raise Unavailable(f"RabbitMQ's management answers {answer.status} to {path}")
        try:
            return json.loads(answer.data)
        except ValueError as exc:
            raise Unavailable("what answers is not RabbitMQ's management") from exc


def management_of(app: Any, address: str) -> Management:
    """Return the management of an application's broker; its user is the broker's own.

    Raises:
        UsageError: the broker is another one, or its user is not told everything.
        Unavailable: it does not answer.
    """
    with app.connection_for_read() as connection:
        if connection.transport.driver_type != "amqp":
            raise UsageError(
                f"--management is RabbitMQ's, and the broker is {connection.transport.driver_type}",
                hint="leave it out",
            )
        user = (connection.userid or "guest", connection.password or "guest")
        found = Management(address, user, connection.virtual_host or "/")
    found.check()
    return found


def _queue(row: Mapping[str, Any]) -> Queue:
    arguments = {str(key).removeprefix("x-") for key in row.get("arguments") or {}}
    policy = row.get("effective_policy_definition") or {}
    settings = arguments | {*(policy if isinstance(policy, Mapping) else ())}
    return Queue(
        name=str(row["name"]),
        ready=row.get("messages_ready"),
        unacked=row.get("messages_unacknowledged"),
        consumers=row.get("consumers"),
        # A quorum queue counts how often it has handed out a message, and has a limit. A stream
        # hands out nothing in this way at all.
        counts_deliveries=row.get("type", "classic") != "classic",
        limited=bool(settings & LIMITS),
        private=bool(row.get("exclusive")),
    )


def _is_talk(queue: str) -> bool:
    return queue.endswith(NOT_JOBS) or queue.startswith("celeryev.")
