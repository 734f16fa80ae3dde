"""How does a server start, say where it is, and end?"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from flagstaff.server import folder
from flagstaff.server.app import build
from flagstaff.server.listening import Listening, open_socket, url_of
from flagstaff.server.settings import Settings

log = logging.getLogger(__name__)


def _noted(protocol: str, address: str) -> None:
    log.info("clients of %s find it at %s", protocol, address)


def serve(
    settings: Settings,
    *,
    ready: Callable[[str], None],
    remark: Callable[[str], None] = log.warning,
    also: Callable[[str, str], object] = _noted,
) -> None:
    """Run a server until SIGTERM or SIGINT; `ready` hears its address once it answers.

    Before that, `remark` hears what is unusual about this server, and `also` each further protocol
    with the address at which its clients find it.

    Raises:
        FlagstaffError: it cannot start; nothing is left running.
    """
    application = build(settings)
    try:
        for each in application.remarks:
            remark(each)
        with contextlib.closing(open_socket(settings.host, settings.port)) as listening:
            url = url_of(listening, secure=settings.tls_cert is not None)
            application.address.url = application.address.url or url

            def started(flagd: str) -> None:
                application.start()
                further = {"flagd": flagd} if flagd else {}
                folder.announce(settings.folder, url, **further)
                for protocol, address in further.items():
                    also(protocol, address)
                ready(url)

            def ending() -> None:
                application.draining.yes = True
                application.hub.close()

            server = Listening(application.asgi, settings, started, ending, application.flagd)
            server.run(sockets=[listening])
    finally:
        folder.withdraw(settings.folder)
        application.close()
