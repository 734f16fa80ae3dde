"""How are the demo application's processes started, redeployed and stopped?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from flagstaff.errors import Unavailable

# The kernel counts the *thread* that started a child as its parent, so one thread that lives as
# long as this process starts them all.
_LAUNCHER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")
_POLL_SECONDS = 0.05
_WORKER = (
    *("-m", "celery", "--app", "app.celery_app", "worker", "--pool", "solo", "--loglevel", "INFO"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


@dataclass(kw_only=True)
class Process:
    """One child process in a checkout; what it prints is appended to `output`."""

    name: str
    arguments: tuple[str, ...]
    checkout: Path
    environment: Mapping[str, str]
    output: Path
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _printed_before: int = field(default=0, init=False)

    @property
    def pid(self) -> int | None:
        """The id of the running process, None when it does not run."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def start(self) -> None:
        """Start the process; it ends with this one."""
        self.output.parent.mkdir(parents=True, exist_ok=True)
        self._printed_before = self.output.stat().st_size if self.output.exists() else 0
        self._child = _LAUNCHER.submit(self._launch).result()

    def stop(self, *, timeout_s: float = 15.0) -> int:
        """Stop warmly: what is being done is finished; return the exit code.

        After `timeout_s` seconds the process is killed.
        """
        if self._child is None:
            return 0
        self.ask_to_stop()
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def ask_to_stop(self) -> None:
        """Ask for a warm stop and return at once."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process, as a machine that loses power would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def printed(self) -> str:
        """Return what the process has printed since it was started."""
        with self.output.open("rb") as file:
            file.seek(self._printed_before)
            return file.read().decode(errors="replace")

    def require_running(self) -> None:
        """Raise `Unavailable` with the last lines of output when the process has ended."""
        if self.pid is None:
            tail = "\n".join(self.printed().splitlines()[-8:])
            raise Unavailable(f"{self.name} has ended:\n{tail}", hint=f"read {self.output}")

    def _launch(self) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "flagstaff.demo.child", str(os.getpid()))
        with self.output.open("ab") as output:
            return subprocess.Popen(
                (*command, sys.executable, *self.arguments),
                cwd=self.checkout,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


class Application:
    """The web process and the workers of the demo application, in one deployed checkout.

    Args:
        checkout: where the code is.
        state: folder of job logs, chat, broker files and output; outlives deployments.
        port: port of the web process on 127.0.0.1.
        workers: number of Celery workers; each runs one job at a time.
        broker: `redis://…`, or None for files in `state`.
        environment: more variables, such as `FLAGSTAFF_URL` or `DEMO_BREAK`.
    """

    def __init__(
        self,
        *,
        checkout: Path,
        state: Path,
        port: int,
        workers: int = 2,
        broker: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.checkout = checkout
        self.url = f"http://127.0.0.1:{port}"
        self.broker = broker or f"spool://{state.resolve()}/var/broker"
        self.log_folder = state.resolve() / "log"
        self._output = state.resolve() / "var/output"
        self._environment = os.environ | {
            "BROKER_URL": self.broker,
            "LOG_FOLDER": str(self.log_folder),
            "PORT": str(port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        }
        self.web = self._process("web", ("-m", "app.web"))
        self.workers = tuple(
            self._process(name, (*_WORKER, "--hostname", f"{name}@demo"))
            for name in (f"worker-{number}" for number in range(1, workers + 1))
        )

    def start(self, *, timeout_s: float = 60.0) -> None:
        """Start everything, workers first, and wait until all of it is ready.

        Raises:
            Unavailable: a process ended, or was not ready after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            self._wait_for_worker(worker, deadline)
        self.web.start()
        self._wait_for_web(deadline)

    def restart(self, checkout: Path | None = None, *, timeout_s: float = 60.0) -> None:
        """Move to another checkout (or the same again): one worker after another, then web.

        Each process is stopped warmly and waited for, so jobs keep running throughout.

        Raises:
            Unavailable: a process ended, or was not ready after `timeout_s` seconds.
        """
        self.checkout = checkout or self.checkout
        deadline = time.monotonic() + timeout_s
        for worker in self.workers:
            worker.stop()
            worker.checkout = self.checkout
            worker.start()
            self._wait_for_worker(worker, deadline)
        self.web.stop()
        self.web.checkout = self.checkout
        self.web.start()
        self._wait_for_web(deadline)

    def set_traffic(self, jobs_per_second: float) -> None:
        """Change the rate of the application's own traffic; 0 stops it.

        Raises:
            Unavailable: the web process does not answer.
        """
        body = json.dumps({"jobs_per_second": jobs_per_second}).encode()
        self._request("/traffic", method="PUT", body=body)

    def stop(self) -> None:
        """Stop everything warmly, web first, so that nothing is enqueued for nobody."""
        self.web.stop()
        for worker in self.workers:
            worker.ask_to_stop()
        for worker in self.workers:
            worker.stop()

    def _process(self, name: str, arguments: tuple[str, ...]) -> Process:
        return Process(
            name=name,
            arguments=arguments,
            checkout=self.checkout,
            environment=self._environment,
            output=self._output / f"{name}.log",
        )

    def _wait_for_worker(self, worker: Process, deadline: float) -> None:
        while " ready." not in worker.printed():
            self._pause(worker, deadline)

    def _wait_for_web(self, deadline: float) -> None:
        while not self._web_answers():
            self._pause(self.web, deadline)

    def _web_answers(self) -> bool:
        try:
            answer = json.loads(self._request("/health"))
        except (Unavailable, ValueError):
            return False
        # Another program may own the port and answer politely.
        return isinstance(answer, dict) and answer.get("pid") == self.web.pid

    def _request(self, path: str, *, method: str = "GET", body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, data=body, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310
                answer: bytes = response.read()
                return answer
        except OSError as error:
            raise Unavailable(
                f"the demo application does not answer on {self.url}: {error}",
                hint=f"read {self.web.output}",
            ) from error

    def _pause(self, process: Process, deadline: float) -> None:
        process.require_running()
        if time.monotonic() > deadline:
            raise Unavailable(f"{process.name} is not ready", hint=f"read {process.output}")
        time.sleep(_POLL_SECONDS)
