"""How do soaks start the workers of a deployment, publish to them, and read what ran?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
DEFINITION = """\
name: rename_step
type: worker
group: group::integrations
milestone: '15.1'
introduced_by_url: https://gitlab.example.com/a/b/-/merge_requests/1
default_enabled: false
"""


@dataclass(kw_only=True)
class Site:
    """Workers and a producer on one broker.

    Attributes:
        folder: of this site, empty.
        broker: its address; `backend` where results are kept.
        visible: after how many seconds workers on Redis take what another one holds.
        module: that workers load; `more` is added to their environment.
    """

    folder: Path
    broker: str
    backend: str
    visible: int = 3600
    module: str = "soak_jobs"
    more: dict = field(default_factory=dict)
    workers: dict = field(default_factory=dict)

    def __post_init__(self):
        (self.folder / "flags/worker").mkdir(parents=True)
        (self.folder / "flags/worker/rename_step.yml").write_text(DEFINITION)
        self.share(0)

    def share(self, percent):
        """Open the flag so far, for producers and workers."""
        gates = {"percentage_of_actors": str(percent)} if 0 < percent < 100 else percent == 100
        made = self.folder / "state.new"
        made.write_text(json.dumps({"rename_step": gates}))
        made.replace(self.folder / "state.json")

    def producer(self, deploy, *, visible=None):
        """Load the jobs of a deployment as producers do."""
        before = dict(os.environ)
        os.environ.update(self._environment(deploy))
        if visible is not None:
            os.environ["VISIBLE"] = str(visible)
        sys.path.insert(0, str(HERE))
        sys.modules.pop("soak_jobs", None)
        try:
            import soak_jobs  # noqa: PLC0415 it reads the environment
        finally:
            sys.path.remove(str(HERE))
            os.environ.clear()
            os.environ.update(before)
        # Producers wait for no results: what listens for them could not be closed in order.
        soak_jobs.app.backend.result_consumer.start = lambda *_, **__: None
        soak_jobs.app.backend.result_consumer.consume_from = lambda *_: None
        soak_jobs.app.set_current()
        return soak_jobs

    def start(self, node, deploy):
        queues = "soak,other" if deploy == "before" else "soak,soaked,other"
        words = ("-l", "INFO", "--without-gossip", "--without-mingle", "-n", f"{node}@soak")
        words += ("-Q", queues, "-P", "prefork", "-c", "1")
        with self.log(node).open("w") as log:
            self.workers[node] = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", f"{self.module}:app", "worker", *words],
                cwd=HERE,
                env=os.environ | self._environment(deploy),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, node):
        """Return the file that a worker writes its log to."""
        return self.folder / f"{node}.log"

    def wait_ready(self, nodes):
        end = time.monotonic() + 120
        while not all("ready." in self.log(node).read_text() for node in nodes):
            assert time.monotonic() < end, "workers do not start"
            time.sleep(0.1)

    def stop(self, node):
        """End a worker warm."""
        process = self.workers.pop(node)
        process.terminate()
        process.wait(120)

    def kill(self, node):
        process = self.workers.pop(node)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)

    def close(self):
        for node in list(self.workers):
            self.kill(node)

    def give_back(self, jobs):
        """Do what workers on Redis do now and then: give what killed ones held to the others."""
        with jobs.app.connection_for_write() as connection:
            connection.default_channel.qos.restore_visible(num=1000, interval=1)

    def ran(self):
        """Return how often each name ran, and each number."""
        by, counts = Counter(), Counter()
        for lines in self.lines():
            for line in lines:
                name, _, number = line.partition(" ")
                by[name] += 1
                counts[int(number)] += 1
        return by, counts

    def lines(self):
        """Return what each process has run, in order."""
        read = [file.read_text().splitlines() for file in self.folder.glob("ran-*.txt")]
        return [lines for lines in read if lines]

    def _environment(self, deploy):
        return {
            "JOBS": str(self.folder),
            "BROKER": self.broker,
            "BACKEND": self.backend,
            "DEPLOY": deploy,
            "VISIBLE": str(self.visible),
            "PYTHONWARNINGS": "ignore",
            **self.more,
        }
