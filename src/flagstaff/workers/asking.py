"""What do the workers that are alive answer, and were those all?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

TIMEOUT = 2.0
"""Seconds that workers have for an answer."""

BEAT = "celerybeat@"
"""With this begins the name of a beat that hears questions, and answers none but `ping`."""

ENDING = "-ending-"
"""In the name of a worker that was told to end: it runs what it has, and takes no more jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came back from one question.

    Attributes:
        replies: of each worker, by the name of its node.
        reached: so many workers the broker passed the question on to; None if it does not say.
        expected: so many there have to be, by whoever asks; 0 if that is not known.
    """

    replies: tuple[tuple[str, Any], ...]
    reached: int | None
    expected: int = 0

    @property
    def doubt(self) -> str:
        """Return why these may not be all workers; empty when they are."""
        answered = len(self.replies)
        staying = sum(ENDING not in node for node, _ in self.replies)
        if staying < self.expected:
            return f"{staying} of {self.expected} expected workers answered"
        if self.reached is None and not self.expected:
            return "this broker does not say how many workers there are: give --workers N"
        if self.reached is not None and answered < self.reached:
            return f"{answered} of {self.reached} workers answered"
        return ""


class Asker:
    """Asks every worker of one broker by Celery's remote control.

    Args:
        app: a Celery application with the address of the broker.
        timeout: seconds that workers have for an answer.
        expected: the least number of workers that have to answer.
    """

    def __init__(self, app: Any, *, timeout: float = TIMEOUT, expected: int = 0) -> None:
        self._app, self._timeout, self._expected = app, timeout, expected
        self._limit: int | None = None
        self._known: int | None = None
        self._connection: Any = None
        self._control = type(app.control)(app)
        # With a pool it would publish on another channel than the one that is given.
        self._control.mailbox.producer_pool = None

    def expect(self, workers: int) -> None:
        """Hold no answers for complete that are fewer, if the broker has just said how many."""
        self._known = workers

    def ask(self, command: str, **arguments: object) -> Answers:
        """Return what every worker says; once all were heard, later questions wait for no more."""
        # One connection for all questions: Redis lets go of one that waits only after a second.
        self._connection = self._connection or self._app.connection_for_write()
        with _counting_receivers(self._connection.default_channel) as receivers:
            found = self._broadcast(command, arguments, self._limit)
        reached = max(receivers) if receivers else self._known
        if receivers and len(found) < max(receivers):
            pongs = self._broadcast("ping", {}, max(receivers))
            reached = max(receivers) - sum(node.startswith(BEAT) for node, _ in pongs)
        answers = Answers(replies=found, reached=reached, expected=self._expected)
        self._limit = len(found) if found and not answers.doubt else None
        return answers

    def _broadcast(
        self, command: str, arguments: dict[str, Any], limit: int | None
    ) -> tuple[tuple[str, Any], ...]:
        replies = self._control.broadcast(
            command,
            arguments=arguments,
            reply=True,
            timeout=self._timeout,
            limit=limit,
            connection=self._connection,
            channel=self._connection.default_channel,
        )
        return tuple(
            (str(node), said) for reply in replies or () for node, said in sorted(reply.items())
        )

    def close(self) -> None:
        """Let go of the broker."""
        if self._connection is not None:
            self._connection.release()
            self._connection = None


def is_error(said: Any) -> bool:
    """Say whether a worker did not know the question, or failed over it."""
    return isinstance(said, Mapping) and "error" in said


@contextmanager
def _counting_receivers(channel: Any) -> Iterator[list[int]]:
    """Collect to how many subscribers Redis passed on what is published in the block.

    That number is exact, and the only sign of a worker that is connected and does not answer.
    """
    receivers: list[int] = []
    make = getattr(channel, "_create_client", None)
    if make is None:  # another broker
        yield receivers
        return

    def noting(response: Any, **_: Any) -> Any:
        receivers.append(int(response))
        return response

    def counting(*args: Any, **options: Any) -> Any:
        client = make(*args, **options)
        client.set_response_callback("PUBLISH", noting)
        return client

    channel._create_client = counting  # noqa: SLF001 - Kombu throws the number away
    try:
        yield receivers
    finally:
        del channel._create_client  # noqa: SLF001
