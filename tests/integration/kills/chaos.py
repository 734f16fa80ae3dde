"""What happens to servers, when, by one seed?

Bad moments are any time at all, and just before or after something arrives outside and its answer
has not come back, which is where effects are lost or doubled if they ever are.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from random import Random

ON_THE_WAY = 0.4
"""So many of the kills at arrivals come before it, so that it never arrives."""

FROZEN_FOR = 240.0
"""Seconds after which a frozen server goes on, whatever became of the rollout."""


class Chaos:
    """Kills; with several servers it also cuts one off, and freezes one until a rollback is done.

    Args:
        seed: decides what, how often and to whom, though not how the threads meet it.
        servers: as many as there are.
        kills: so many at any time, and at most as many again at arrivals.
        share: of the arrivals, so many kill their sender before it has its answer.
        wire: the network of the last server, if it can be cut.
        zombies: so many servers are frozen while they announce; `is_over(flag)` says when the
            rollout has been rolled back meanwhile.
    """

    def __init__(self, seed, servers, kills, *, share, wire=None, zombies=(), is_over=None):
        self._seed = seed
        self._servers = {each.name: each for each in servers}
        self._kills, self._share, self._wire = kills, share, wire
        self._zombies, self._is_over = set(zombies), is_over
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._freezers = []
        self._arrivals = 0
        self.happened = Counter()
        self.moments = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()
        for each in self._freezers:
            each.join()

    def on_way(self, sender, key, _text, times):
        """Return whether something never arrives, its sender killed."""
        lost = Random(f"{self._seed}/way/{key}/{times}").random() < self._share * ON_THE_WAY
        if lost and self._may_at_arrival():
            self._killed(self._servers[sender], "killed on the way")
            return True
        return False

    def on_arrival(self, sender, key, text, times):
        """Kill or freeze whom an arrival is from."""
        server = self._servers[sender]
        flag = next((each for each in self._zombies if f"`{each}` has been set" in text), "")
        if flag and len(self._servers) > 1 and self._freezes(server, flag):
            return
        if (
            Random(f"{self._seed}/{key}/{times}").random() < self._share * (1 - ON_THE_WAY)
            and self._may_at_arrival()
        ):
            self._killed(server, "killed at an arrival")

    def _may_at_arrival(self):
        with self._lock:
            self._arrivals += 1
            return self._arrivals <= self._kills

    def _freezes(self, server, flag):
        with self._lock:
            if any(each.frozen for each in self._servers.values()) or not server.freeze():
                return False
            self._zombies.discard(flag)
        self.moments.append(time.monotonic())
        thread = threading.Thread(target=self._thaw, args=(server, flag))
        self._freezers.append(thread)
        thread.start()
        return True

    def _thaw(self, server, flag):
        deadline = time.monotonic() + FROZEN_FOR
        while not self._is_over(flag) and time.monotonic() < deadline:
            if self._stopping.wait(0.05):
                break
        done = self._is_over(flag)
        self.happened["thawed after a rollback" if done else "thawed before a rollback"] += 1
        server.thaw()

    def _killed(self, server, how):
        if server.frozen:
            return
        server.kill()
        self.moments.append(time.monotonic())
        self.happened[how] += 1

    def _run(self):
        random = Random(self._seed)
        servers = list(self._servers.values())
        for number in range(self._kills):
            # Some lives end in the start-up, the others at any point of what fits into one: on a
            # busy machine, where a start takes long, lives are longer too. A cut ends no life.
            server = random.choice(servers)
            if random.random() < 0.85:
                self._until(server.answers)
            cut = self._wire is not None and number % 10 == 0
            life = 4.0 if cut else max(4.0, 2.0 * server.starting)
            if self._stopping.wait(random.uniform(0.0, life)):
                return
            if cut:
                self._cut(random.uniform(5.0, 9.0))
            else:
                self._killed(server, "killed at any time")

    def _until(self, condition):
        while not condition() and not self._stopping.wait(0.05):
            pass

    def _cut(self, seconds):
        self._wire.cut()
        self.moments.append(time.monotonic())
        self.happened["cut off"] += 1
        self._stopping.wait(seconds)
        self._wire.mend()
