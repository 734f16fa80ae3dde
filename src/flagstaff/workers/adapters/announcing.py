"""Who knows a name, where workers have to say it themselves because nobody can ask them?

Each worker of a deployment with a rename declared keeps a field in one hash of Redis: which names
it knows, and until when that counts. Workers of the deployment before keep none; how many workers
there are has to come from elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from flagstaff.workers.knowing import Knowledge, Worker

KEY = "flagstaff:workers:{kind}"
COUNTS_FOR = 60.0
"""Seconds that a word of a worker counts; it is said again long before."""


class Board:
    """Where workers of one kind of queue say what they know."""

    def __init__(self, client: Any, kind: str) -> None:
        self._client, self._key = client, KEY.format(kind=kind)

    def say(
        self, node: str, names: Iterable[str], queues: Iterable[str], *, born: str = ""
    ) -> None:
        """Write down what a worker knows; `born` tells it from an earlier one of its name."""
        told = {
            "names": sorted(names),
            "queues": sorted(queues),
            "until": time.time() + COUNTS_FOR,
            "born": born,
        }
        self._client.hset(self._key, node, json.dumps(told))

    def leave(self, node: str) -> None:
        """Forget a worker that ends."""
        self._client.hdel(self._key, node)

    def known(
        self,
        name: str,
        queue: str = "",
        *,
        alive: Mapping[str, str] | None = None,
        expected: int = 0,
    ) -> Knowledge:
        """Return who knows a name.

        Args:
            name: that is to be published.
            queue: where; a worker has to take jobs from it.
            alive: the workers that there are and when each was born, where that is known; their
                word counts as long as they live.
            expected: the least number of workers that there have to be.
        """
        told = self._told(alive)
        nodes = sorted(told if alive is None else alive)
        workers = tuple(
            Worker(
                node=node,
                knows=name in told.get(node, {}).get("names", ()),
                queues=tuple(told.get(node, {}).get("queues", ())),
            )
            for node in nodes
        )
        problems = [
            f"{each.node} does not say that it knows {name}" for each in workers if not each.knows
        ]
        if not workers:
            problems.append("no worker is there")
        if alive is None and not expected:
            problems.append("nobody says how many workers there are: give --workers N")
        if len(workers) < expected:
            problems.append(f"{len(workers)} of {expected} expected workers are there")
        if queue and not any(queue in each.queues for each in workers):
            problems.append(f"no worker takes jobs from {queue}")
        return Knowledge(name=name, workers=workers, problems=tuple(problems))

    def _told(self, alive: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
        """Return what was said, by whom, without what counts no more."""
        said = {
            _text(node): json.loads(each) for node, each in self._client.hgetall(self._key).items()
        }
        if alive is None:
            return {node: each for node, each in said.items() if each["until"] >= time.time()}
        return {node: each for node, each in said.items() if alive.get(node) == each["born"]}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
