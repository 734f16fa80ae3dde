"""Where do tests find a real broker?"""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import time

import pytest
import urllib3

from ports import free_port


def program(name):
    """Return the path of a server; in CI its tests are never skipped."""
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed: run scripts/install-servers")
    return found or name


def listens(port, server, within=240):
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
        self._server.wait(60)


class RabbitMQ:
    """A server of our own, with a port mapper of its own, so that it ends with the tests."""

    def __init__(self, folder):
        self.port, self._mapper, self._management = free_port(), free_port(), free_port()
        plugins = folder / "plugins"
        plugins.write_text("[rabbitmq_management].\n")
        (folder / "rabbitmq.conf").write_text(
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self._management}\n"
            "collect_statistics_interval = 500\n"
        )
        settings = {
            "RABBITMQ_CONFIG_FILE": folder / "rabbitmq",
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": self._mapper,
            "RABBITMQ_NODENAME": "flagstaff@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": self.port,
            "RABBITMQ_DIST_PORT": free_port(),
            "RABBITMQ_MNESIA_BASE": folder,
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
        }
        # The one on PATH changes to another user, who may not write here.
        found = glob.glob("/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server")  # noqa: PTH207
        words = [found[0] if found else program("rabbitmq-server")]
        self._environment = os.environ | {key: str(value) for key, value in settings.items()}
        self._server = subprocess.Popen(words, env=self._environment, stdout=subprocess.DEVNULL)
        listens(self.port, self._server)

    def management(self):
        """Return where it says what it knows of itself, once it does."""
        listens(self._management, self._server)
        return f"http://127.0.0.1:{self._management}"

    def place(self, name):
        """Make a virtual host, and return its address."""
        asked = {"headers": urllib3.make_headers(basic_auth="guest:guest"), "retries": 10}
        every = dict.fromkeys(("configure", "write", "read"), ".*")
        for path, body in ((f"vhosts/{name}", {}), (f"permissions/{name}/guest", every)):
            address = f"{self.management()}/api/{path}"
            answer = urllib3.request("PUT", address, json=body, **asked)
            assert answer.status < 300, answer.data
        return f"{self.url().rstrip('/')}/{name}"

    def url(self):
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def stop(self):
        self._server.terminate()
        self._server.wait(120)
        words = ("epmd", "-port", str(self._mapper), "-kill")
        subprocess.run(words, check=False, stdout=subprocess.DEVNULL, env=self._environment)
