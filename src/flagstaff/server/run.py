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


def serve(
    settings: Settings, *, ready: Callable[[str], None], remark: Callable[[str], None] = log.warning
) -> None:
    """Run a server until SIGTERM or SIGINT; `ready` hears its address once it answers.

    Before that, `remark` hears what is unusual about this server.

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

            def started() -> None:
                application.start()
                folder.announce(settings.folder, url)
                ready(url)

            Listening(application.asgi, settings, started, application.hub.close).run(
                sockets=[listening]
            )
    finally:
        folder.withdraw(settings.folder)
        application.close()
