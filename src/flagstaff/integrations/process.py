"""How is a program run so that it neither stays for ever nor floods us?"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

KEPT = 4_000
"""Characters of the end of an output that are kept."""

CHUNK = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended: `code` is none when it was stopped or never began, `why` says so."""

    code: int | None
    output: str
    why: str = ""


def run(
    words: tuple[str, ...], folder: Path, seconds: float, environment: Mapping[str, str]
) -> Ended:
    """Return how the program ended, and the end of what it has said on both its outputs.

    After `seconds` it is killed with all that it has started: a child that lives on would keep its
    end of the pipe, and us waiting.
    """
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        why = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
        return Ended(code=None, output="", why=f"{words[0]} cannot be run: {why}")
    said: deque[bytes] = deque(maxlen=KEPT * 4 // CHUNK + 2)
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        with process:
            _drain(process.stdout, said)
            code = process.wait()
    finally:
        timer.cancel()
        _kill(process)
    output = b"".join(said).decode("utf-8", "replace")[-KEPT:].strip()
    if late.is_set():
        return Ended(code=None, output=output, why=f"it took longer than {seconds:g} s")
    return Ended(code=code, output=output)


def _drain(stream: IO[bytes] | None, said: deque[bytes]) -> None:
    while stream is not None and (part := os.read(stream.fileno(), CHUNK)):
        said.append(part)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
