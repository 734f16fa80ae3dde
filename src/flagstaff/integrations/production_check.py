"""What does whoever is configured to know it say about production?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2

from flagstaff.definitions import HealthCheck
from flagstaff.rollouts.event import Answer

MOST = 500
"""Characters of an answer that are passed on."""

READ = 64_000
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionCheck:
    """Asks the address or the program in `policies: health:`; to be silent is to say no."""

    root: Path
    settings: HealthCheck

    def __call__(self) -> Answer:
        """Return a yes or a no, in its words."""
        seconds = self.settings.timeout.total_seconds()
        if self.settings.url:
            return _fetched(self.settings.url, seconds)
        return _run(self.settings.command, self.root, seconds)


def _fetched(url: str, seconds: float) -> Answer:
    deadline = time.monotonic() + seconds
    try:
        with (
            httpx2.Client(timeout=seconds, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > READ or time.monotonic() > deadline:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        # The address may hold a secret, so it is not repeated.
        why = "it took too long" if isinstance(exc, httpx2.TimeoutException) else "nobody is there"
        return Answer(yes=False, text=f"no answer: {why}")
    text = _shortened(body.decode("utf-8", "replace")) or f"the answer is {answer.status_code}"
    return Answer(yes=answer.is_success, text=text)


def _run(command: tuple[str, ...], root: Path, seconds: float) -> Answer:
    try:
        process = subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as exc:
        return Answer(yes=False, text=f"no answer: {command[0]}: {exc.strerror}")
    with process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # All of it: a child that lives on would keep its end of the pipe, and us waiting.
            os.killpg(process.pid, signal.SIGKILL)
            return Answer(yes=False, text="no answer: it took too long")
    text = _shortened(said.decode("utf-8", "replace")) or f"it ended with {process.returncode}"
    return Answer(yes=process.returncode == 0, text=text)


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= MOST else f"{words[:MOST]} …"
