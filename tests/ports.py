"""Which port may a server of the tests have?"""

from __future__ import annotations

import itertools
import os
import random
import socket

FIRST, EACH, PARTS = 10_000, 1_000, 20
"""All of it below 32768, where Linux begins to give ports to whoever connects to somebody."""


def _own():
    """Yield the ports of this process of pytest-xdist, in an order of its own, for ever."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST + number % PARTS * EACH
    ports = list(range(first, first + EACH))
    random.SystemRandom().shuffle(ports)  # another run of the tests has the same ones
    return itertools.cycle(ports)


_ports = _own()


def free_port():
    """Return a port that nobody has, and that nobody gets who does not ask for it by its number.

    So a server that is stopped for a while, or that starts slowly, finds it free again.
    """
    for port in itertools.islice(_ports, EACH):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("no port is free")
