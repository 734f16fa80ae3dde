"""Where do tests find a real broker?"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time

import pytest

from postgres import free_port


def program(name):
    """Return the path of a server; in CI its tests are never skipped."""
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed: run scripts/install-servers")
    return found or name


def listens(port, server, within=60):
    """Return once somebody listens on the port."""
    end = time.monotonic() + within
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, f"{server.args[0]} ended with {server.returncode}"
            assert time.monotonic() < end, f"{server.args[0]} does not listen"
            time.sleep(0.05)
        else:
            return


class Redis:
    """A server of our own on a port of its own, that keeps nothing."""

    def __init__(self, folder):
        self.port = free_port()
        words = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "")
        self._server = subprocess.Popen(
            [program("redis-server"), *words, "--dir", str(folder)], stdout=subprocess.DEVNULL
        )
        listens(self.port, self._server)

    def url(self, number=0):
        return f"redis://127.0.0.1:{self.port}/{number}"

    def stop(self):
        self._server.terminate()
        self._server.wait(10)
