"""How does a server start, say where it is, and end?"""

from __future__ import annotations

import contextlib
import gc
import logging
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from flagstaff.errors import Conflict
from flagstaff.server import folder
from flagstaff.server.app import Application, build
from flagstaff.server.connection import Connection
from flagstaff.server.settings import DEFAULT_PORT, Settings

log = logging.getLogger(__name__)

PORTS_TRIED = 100
PATIENCE = 5
"""Seconds that requests still running get when the server ends."""


def serve(
    settings: Settings, *, ready: Callable[[str], None], remark: Callable[[str], None] = log.warning
) -> None:
    """Run a server until SIGTERM or SIGINT; `ready` hears its address once it answers.

    Before that, `remark` hears what is unusual about this server.

    Raises:
        FlagstaffError: it cannot start; nothing is left running.
    """
    application = build(settings)
    _allow_open_files()
    try:
        for each in application.remarks:
            remark(each)
        with contextlib.closing(_socket(settings.host, settings.port)) as listening:
            url = _url(listening, secure=settings.tls_cert is not None)
            application.address.url = application.address.url or url
            _Server(application, url, ready).run(sockets=[listening])
    finally:
        folder.withdraw(settings.folder)
        application.close()


class _Server(uvicorn.Server):
    """Ends streams first, or they would hold up the end for as long as they are let."""

    def __init__(self, application: Application, url: str, ready: Callable[[str], None]) -> None:
        settings = application.settings
        config = uvicorn.Config(
            application.asgi,
            access_log=False,
            log_level=logging.WARNING,
            lifespan="on",
            server_header=False,
            date_header=False,
            http=Connection,
            loop="uvloop",
            timeout_graceful_shutdown=PATIENCE,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_proxies,
        )
        super().__init__(config)
        self._application = application
        self._url = url
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.should_exit:
            return
        self._application.start()
        # What was made until now stays to the end; looking through it again and again for garbage
        # would only be pauses, in which nobody hears of a change.
        gc.collect()
        gc.freeze()
        folder.announce(self._application.settings.folder, self._url)
        self._ready(self._url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop answering: what runs may finish, and streams end so that they need not."""
        self._application.draining.yes = True
        self._application.hub.close()
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


def _socket(host: str, port: int | None) -> socket.socket:
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


def _url(listening: socket.socket, *, secure: bool) -> str:
    """Return where this machine's own programs reach the server."""
    host, port = listening.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 only looked up
    shown = f"[{here}]" if ":" in here else here
    return f"{'https' if secure else 'http'}://{shown}:{port}"
