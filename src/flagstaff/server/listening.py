"""How does an application listen, and end in order?"""

from __future__ import annotations

import contextlib
import gc
import logging
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from flagstaff.errors import Conflict
from flagstaff.server.settings import DEFAULT_PORT
from flagstaff.server.streams.connection import Connection

PORTS_TRIED = 100
PATIENCE = 5
"""Seconds that requests still running get when the server ends."""


class Reach(Protocol):
    """How requests arrive; see `Settings`."""

    @property
    def tls_cert(self) -> Path | None:
        """Return the file with the certificate chain."""
        ...

    @property
    def tls_key(self) -> Path | None:
        """Return the file with its key."""
        ...

    @property
    def trusted_proxies(self) -> str:
        """Return the addresses that may say for whom they forward."""
        ...


class Beside(Protocol):
    """Something that answers in the same event loop, on a port of its own."""

    def bind(self) -> str:
        """Take the port and return the address."""
        ...

    async def start(self) -> None:
        """Begin to answer."""
        ...

    async def stop(self) -> None:
        """Stop answering."""
        ...


class Listening(uvicorn.Server):
    """Ends streams first, or they would hold up the end for as long as they are let.

    Args:
        asgi: what answers.
        reach: how requests arrive.
        started: is called once it answers, with the address of what answers beside it.
        ending: is called when it is about to stop, and ends the streams.
        beside: what answers beside it.
    """

    def __init__(
        self,
        asgi: ASGIApp,
        reach: Reach,
        started: Callable[[str], None],
        ending: Callable[[], None],
        beside: Beside | None = None,
    ) -> None:
        config = uvicorn.Config(
            asgi,
            access_log=False,
            log_level=logging.WARNING,
            lifespan="on",
            server_header=False,
            http=Connection,
            loop="uvloop",
            timeout_graceful_shutdown=PATIENCE,
            ssl_certfile=reach.tls_cert,
            ssl_keyfile=reach.tls_key,
            proxy_headers=True,
            forwarded_allow_ips=reach.trusted_proxies,
        )
        super().__init__(config)
        _allow_open_files()
        self._started, self._ending, self._beside = started, ending, beside

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        address = self._beside.bind() if self._beside else ""
        await super().startup(sockets)
        if self.should_exit:
            return
        if self._beside:
            await self._beside.start()
        self._started(address)
        # What was made until now stays to the end; looking through it again and again for garbage
        # would only be pauses, in which nobody hears of a change.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop answering."""
        self._ending()
        if self._beside:
            await self._beside.stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End in order on a signal, and return: whoever called us still has to clean up."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _allow_open_files() -> None:
    """Let this process have as many connections as the system allows it; the usual is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def open_socket(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on the port, or on 8080 or the next free one."""
    wanted = range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED) if port is None else (port,)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for each in wanted:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, each))
        except OSError as exc:
            listening.close()
            reason = exc.strerror
        else:
            listening.set_inheritable(False)
            return listening
    raise Conflict(
        f"port {wanted[0]} of {host} cannot be used: {reason}",
        hint="leave the port out, and a free one is taken",
    )


def url_of(listening: socket.socket, *, secure: bool) -> str:
    """Return where this machine's own programs reach the server."""
    host, port = listening.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 only looked up
    shown = f"[{here}]" if ":" in here else here
    return f"{'https' if secure else 'http'}://{shown}:{port}"
