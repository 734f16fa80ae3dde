"""How do tests start workers of two deployments, and publish to them?"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kombu import pools

HERE = Path(__file__).parent
DEFINITION = """\
name: rename_notify
type: worker
group: group::integrations
milestone: '15.1'
introduced_by_url: https://gitlab.example.com/a/b/-/merge_requests/1
default_enabled: false
"""

SILENCE = ("workers answered", "no worker answers")


def until(holds, within=120):
    end = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


class Fleet:
    """Workers, producers and what ran, on one broker.

    Args:
        folder: of this test.
        broker: its address.
        backend: where results are kept.
        management: of a RabbitMQ.
    """

    module = "renamed_jobs"

    def __init__(self, folder, broker, backend, *, management=""):
        self.folder, self.broker, self.backend = folder, broker, backend
        self.management = management
        (folder / "flags" / "worker").mkdir(parents=True)
        (folder / "flags" / "worker" / "rename_notify.yml").write_text(DEFINITION)
        self._ticks = 1_700_000_000
        self._workers, self._apps = {}, []
        self.flag(on=False)

    def flag(self, *, on):
        """Set the flag, and wait until the producer of this process knows."""
        state = self.folder / "state.json"
        state.write_text(json.dumps({"rename_notify": on}))
        self._ticks += 10
        os.utime(state, (self._ticks, self._ticks))
        for jobs in self._apps:
            if hasattr(jobs, "flags"):
                until(lambda jobs=jobs: jobs.flags.is_enabled("rename_notify") is on)

    def jobs(self, deploy, **settings):
        """Load the application of one deployment into this process, as producers do."""
        before = dict(os.environ)
        os.environ.update(self._environment(deploy, settings))
        try:
            spec = importlib.util.spec_from_file_location(
                f"jobs_{deploy}_{len(self._apps)}", HERE / "renamed_jobs.py"
            )
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        finally:
            os.environ.clear()
            os.environ.update(before)
        module.app.set_current()
        # Producers wait for no results: what listens for them could not be closed in order.
        module.app.backend.result_consumer.start = lambda *_, **__: None
        module.app.backend.result_consumer.consume_from = lambda *_: None
        self._apps.append(module)
        return module

    def worker(self, node, deploy, queues, *, pool="prefork", concurrency=1, **settings):
        """Start a worker and return its process, once it takes jobs."""
        log = (self.folder / f"{node}.log").open("w")
        words = ["-l", "INFO", "--without-gossip", "--without-mingle", "-n", f"{node}@test"]
        words += ["-Q", queues, "-P", pool, "-c", str(concurrency)]
        environment = {**os.environ, **self._environment(deploy, settings)}
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", f"{self.module}:app", "worker", *words],
            cwd=HERE,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self._workers[node] = process
        text = self.folder / f"{node}.log"
        until(lambda: process.poll() is not None or "ready." in text.read_text())
        assert process.poll() is None, text.read_text()
        return process

    def beat(self, deploy, *words):
        """Start a beat."""
        more = ["-s", str(self.folder / "beat"), "--pidfile=", *words]
        self._workers["beat"] = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", f"{self.module}:app", "beat", *more],
            cwd=HERE,
            env={**os.environ, **self._environment(deploy, {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )

    def stop(self, node, how=signal.SIGTERM):
        """End a worker: warm, so that it ends its jobs and gives back the others."""
        process = self._workers.pop(node)
        process.send_signal(how)
        process.wait(120)

    def ran(self, name=None):
        """Return what ran so far, each line a job's try."""
        lines = [
            json.loads(line)
            for file in self.folder.glob("ran-*.jsonl")
            for line in file.read_text().splitlines()
        ]
        return [each for each in lines if name is None or each["name"] == name]

    def close(self):
        for node in list(self._workers):
            process = self._workers.pop(node)
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(30)
        for jobs in self._apps:
            if hasattr(jobs, "flags"):
                jobs.flags.close()
            jobs.app.backend.client.connection_pool.disconnect()
            jobs.app.close()
        pools.reset()

    def _environment(self, deploy, settings):
        return {
            "JOBS": str(self.folder),
            "BROKER": self.broker,
            "BACKEND": self.backend,
            "DEPLOY": deploy,
            "PYTHONWARNINGS": "ignore",
            **{key.upper(): str(value) for key, value in settings.items()},
        }


def flagstaff(*words):
    """Run a command of ours, and return its exit code and what it printed for programs."""
    done = subprocess.run(
        [sys.executable, "-m", "flagstaff", "workers", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def heard(*words):
    """Run a command of ours, again if a worker had no time to answer: a busy machine is no fault.

    Nothing is done, and nothing proven, while one is silent.
    """

    def told():
        code, found = flagstaff(*words)
        silent = any(each in json.dumps(found) for each in SILENCE)
        return None if silent else (code, found)

    return until(told)
