"""A server of ours with workers that it watches, on a real Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.request import Request, urlopen

from celery import Celery
from fleet import DEFINITION, HERE, Fleet, until

from guarded import Server

SETTINGS = "policies: {consistency: false}\n"


class Watched(Fleet):
    """Workers and producers that ask a server of their own for flags.

    Args:
        folder: of this test.
        broker: its address.
        backend: where results are kept.
        settings: what stands in `flagstaff.yml`.
    """

    module = "watched_jobs"

    def __init__(self, folder, broker, backend, settings=SETTINGS):
        super().__init__(folder, broker, backend)
        self.root = folder / "project"
        path = self.root / "config/feature_flags/worker/rename_notify.yml"
        path.parent.mkdir(parents=True)
        path.write_text(DEFINITION)
        (self.root / "flagstaff.yml").write_text(settings)
        self.server = Server(self.root)

    def produce(self, program):
        """Publish from a process of its own, that ends in order."""
        subprocess.run(
            [sys.executable, "-c", f"import watched_jobs as jobs\n{program}"],
            cwd=HERE,
            env=self.surroundings(),
            check=True,
            timeout=240,
        )

    def heard(self, task, holds, children=1):
        """Wait until every child of the workers has heard of a switch.

        Args:
            task: the name of its jobs.
            holds: is given what a child knows: the `action` for a job, whether it `has` a switch.
            children: so many there are.
        """

        def known():
            for _ in range(children):
                app.send_task("shop.switch", (task,), queue="shop")
            said = sorted(self.ran("shop.switch"), key=lambda each: each["at"])
            last = {each["process"]: each for each in said if each["number"] == task}
            return len(last) == children and all(holds(each) for each in last.values())

        with Celery(broker=self.broker, set_as_current=False) as app:
            until(known)

    def surroundings(self):
        return {**os.environ, **self._environment("after", {})}

    def ask(self, path, body=None):
        """Ask the server for something, or tell it."""
        token = (self.root / ".flagstaff/token").read_text().strip()
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = Request(f"{self.server.url}{path}", data=data, headers=headers)  # noqa: S310
        with urlopen(request, timeout=120) as response:  # noqa: S310 - our own server
            return response.read().decode()

    def rows(self):
        """Return what the server says of the jobs, by name and queue."""
        found = json.loads(self.ask("/api/v1/workers"))
        return {(each["task"], each["queue"]): each for each in found}

    def close(self):
        super().close()
        self.server.kill()

    def _environment(self, deploy, settings):
        return {
            **super()._environment(deploy, settings),
            "FLAGSTAFF_URL": self.server.url,
            "FLAGSTAFF_ENVIRONMENT": "production",
            "FLAGSTAFF_TOKEN_FILE": str(self.root / ".flagstaff/token"),
            "FLAGSTAFF_CACHE_DIR": str(self.folder / "cache"),
        }
