"""Who uses the product while nobody is looking?"""

from __future__ import annotations

import http.client
import random
import threading
import time

PATHS = {
    "/integrations/{id}/execute": 60,
    "/projects/{id}/irker": 20,
    "/clusters/{id}/integration/activate": 10,
    "/clusters/{id}/integration/deactivate": 10,
}
VISITS_PER_JOB = 0.1


class Traffic(threading.Thread):
    """Sends requests to a port of this machine at a steady rate until stopped."""

    def __init__(self, port: int, *, jobs_per_second: float) -> None:
        super().__init__(name="traffic", daemon=True)
        self.jobs_per_second = jobs_per_second
        self._port = port
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5)

    def run(self) -> None:
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            rate = self.jobs_per_second
            if rate <= 0:
                due = time.monotonic() + 0.1
                continue
            [path] = random.choices(list(PATHS), weights=list(PATHS.values()))
            self._send("POST", path.format(id=random.randint(1, 500)))
            if random.random() < VISITS_PER_JOB:
                self._send("GET", "/")
            # A pause (a busy machine) is not made up for by a burst of more than a second.
            due = max(due + 1 / rate, time.monotonic() - 1)

    def _send(self, method: str, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request(method, path)
            connection.getresponse().read()
        except OSError:
            # Users of a server that is just starting or stopping see this too, and try again.
            self._stopped.wait(0.1)
        finally:
            connection.close()
