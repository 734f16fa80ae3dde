"""Clients of an edge answer while its control plane is killed, and hear of changes after."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import pytest
from openfeature.contrib.provider.ofrep import OFREPProvider
from python_packages import python_with
from real_server import RealServer, define, run_edge

import flagstaff
from flagstaff.flags.change import Boolean

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 30.0
CONVERGED = 5.0
"""Seconds after the control plane is back."""

SERVER = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
settings = load_settings(root=sys.argv[1], port=int(sys.argv[2]), engine=False)
serve(settings, ready=lambda url: print(url, flush=True))
"""
UNLEASH = """
import json
import sys

from UnleashClient import UnleashClient

given = json.loads(sys.argv[1])
client = UnleashClient(
    given["url"],
    "tests",
    refresh_interval=1,
    custom_headers=given["headers"],
    disable_metrics=True,
    disable_registration=True,
    cache_directory=given["cache"],
)
client.initialize_client()
for _ in sys.stdin:
    print(client.is_enabled("new_navigation"), flush=True)
client.destroy()
"""


class Control:
    """A control plane that can be killed and started again at its address."""

    def __init__(self, root):
        self.root, self.port, self.process = root, 0, None

    def start(self):
        command = [sys.executable, "-c", SERVER, str(self.root), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        url = self.process.stdout.readline().strip()
        self.port = int(url.rpartition(":")[2])
        token = (self.root / ".flagstaff/token").read_text().strip()
        return RealServer(url=url, token=token, root=self.root)

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


class Asking(threading.Thread):
    """Asks again and again, and keeps what came of it."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask, self.answers, self.errors = ask, [], []
        self._over = threading.Event()
        self.start()

    def run(self):
        while not self._over.wait(0.02):
            try:
                self.answers.append(self.ask())
            except Exception as exc:  # noqa: BLE001 whatever it is, it must not happen
                self.errors.append(exc)

    def close(self):
        self._over.set()
        self.join(PATIENCE)


@pytest.fixture
def control(tmp_path):
    root = tmp_path / "project"
    define(root, "new_navigation")
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\npolicies: {allow_random: true}\n"
    )
    found = Control(root)
    yield found
    found.kill()


def unleash(edge, cache, exits):
    given = {
        "url": f"{edge.url}/api",
        "headers": {"Authorization": edge.token},
        "cache": str(cache),
    }
    process = exits.enter_context(
        subprocess.Popen(
            [python_with("UnleashClient==6.9.1"), "-c", UNLEASH, json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    exits.callback(process.stdin.close)

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        return process.stdout.readline() == "True\n"

    return ask


def until_all(askers, *, value, seconds):
    end = time.monotonic() + seconds
    for name, each in askers.items():
        while each.answers[-1:] != [value]:
            assert time.monotonic() < end, f"{name} still answers {each.answers[-1:]}"
            time.sleep(0.01)


def test_all_clients_answer_while_the_control_plane_is_killed(control, tmp_path):
    origin = control.start()
    with ExitStack() as exits:
        edge = exits.enter_context(contextmanager(run_edge)(origin, tmp_path / "edge"))
        further = exits.enter_context(contextmanager(run_edge)(edge, tmp_path / "further"))
        sdk = exits.enter_context(
            closing(
                flagstaff.Client.connect(
                    further.url, environment="production", token=edge.token, cache=None
                )
            )
        )
        headers = {"Authorization": f"Bearer {edge.token}"}
        ofrep = OFREPProvider(edge.url, headers_factory=lambda: headers)
        asks = {
            "the SDK, at an edge of the edge": lambda: sdk.is_enabled("new_navigation"),
            "OFREP": lambda: ofrep.resolve_boolean_details("new_navigation", False).value,
            "Unleash": unleash(edge, tmp_path / "unleash", exits),
        }
        askers = {name: exits.enter_context(closing(Asking(ask))) for name, ask in asks.items()}
        origin.set("new_navigation", Boolean(value=True))
        until_all(askers, value=True, seconds=PATIENCE)
        control.kill()
        before = {name: len(each.answers) for name, each in askers.items()}
        time.sleep(3)  # the outage itself
        for name, each in askers.items():
            assert len(each.answers) > before[name]
            assert set(each.answers[before[name] :]) == {True}
        origin = control.start()
        origin.set("new_navigation", Boolean(value=False))
        began = time.monotonic()
        until_all(askers, value=False, seconds=CONVERGED)
        print(f"converged after {time.monotonic() - began:.2f} s")  # noqa: T201 for the record
        assert [each.errors for each in askers.values()] == [[], [], []]
