"""How does the demo run the control plane? As a process of its own, brought back when it dies."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from flagstaff.commands.remote import Server
from flagstaff.demo.processes import Process
from flagstaff.errors import Unavailable

TIMEOUT = 60.0


class ControlPlane:
    """`flagstaff server` for one project.

    Args:
        root: the project's folder.
        speed: how many times as fast as real time.
        port: of the dashboard; 0 for 8080 or the next free one.
    """

    def __init__(self, root: Path, *, speed: float, port: int = 0) -> None:
        self.root = root
        words = ["-m", "flagstaff", "server", "--project", str(root), "--speed", str(speed)]
        words += ["--port", str(port)] if port else []
        self._process = Process(
            name="control-plane",
            arguments=tuple(words),
            checkout=root,
            environment=os.environ,
            output=root / "var" / "output" / "control-plane.log",
        )

    @property
    def pid(self) -> int:
        """Return the number of the process, 0 when it does not run."""
        return self._process.pid or 0

    def start(self) -> str:
        """Start it, wait until it answers, and return its address.

        Raises:
            Unavailable: it ended, or did not answer in time.
        """
        self._process.start()
        deadline = time.monotonic() + TIMEOUT
        while not self._answers():
            self._process.require_running()
            if time.monotonic() > deadline:
                raise Unavailable(
                    "the control plane does not answer", hint=f"read {self._process.output}"
                )
            time.sleep(0.05)
        return self.server().url

    def revive(self) -> bool:
        """Start it again if it has died; return whether it had."""
        if self._process.pid is not None:
            return False
        self.start()
        return True

    def server(self, person: str = "") -> Server:
        """Return the way to it, for a person."""
        state = self.root / ".flagstaff"
        url = json.loads((state / "server.json").read_text())["url"]
        return Server(url=url, token=(state / "token").read_text().strip(), person=person)

    def stop(self) -> None:
        """Stop it warmly, and after a while not so warmly."""
        self._process.stop()

    def _answers(self) -> bool:
        try:
            told = json.loads((self.root / ".flagstaff" / "server.json").read_text())
            if told["pid"] != self.pid:
                return False
            self.server().request("/readyz")
        except (OSError, ValueError, KeyError, Unavailable):
            return False
        return True
