"""How does an edge start, say where it is, and end?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from flagstaff.server.edge.app import build_edge
from flagstaff.server.edge.settings import EdgeSettings
from flagstaff.server.listening import Listening, open_socket, url_of


def serve_edge(settings: EdgeSettings, *, ready: Callable[[str, Sequence[str]], None]) -> None:
    """Run an edge until SIGTERM or SIGINT.

    Args:
        settings: where it follows what.
        ready: hears its address, and what is unusual, once it answers.

    Raises:
        FlagstaffError: it cannot start; nothing is left running.
    """
    edge = build_edge(settings)
    try:
        with contextlib.closing(open_socket(settings.host, settings.port)) as listening:
            url = url_of(listening, secure=settings.tls_cert is not None)
            edge.start()
            Listening(
                edge.asgi, settings, lambda _: ready(url, edge.remarks()), edge.hub.close
            ).run(sockets=[listening])
    finally:
        edge.close()
