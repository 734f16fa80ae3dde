"""How is a broker of background jobs reached?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """An entry under `brokers:` in `flagstaff.yml`; one of the first three is given.

    Attributes:
        url: Its address, where that is no secret.
        url_file: Holds its address, from the project's root.
        app: The team's own Celery application, `module:app`, with its transport options, queues
            and beat entries.
        folder: Where `app` is imported, from the project's root.
        environment: Variables of the server's environment that `app` gets to see, besides a few
            harmless ones.
        workers: So many must answer; 0 where the broker itself says how many there are.
        timeout: For the answers of workers.
        management: Where RabbitMQ says what it holds; its user is the one of the address.
    """

    url: str = ""
    url_file: str = ""
    app: str = ""
    folder: str = "."
    environment: tuple[str, ...] = ()
    workers: int = 0
    timeout: timedelta = timedelta(seconds=2)
    management: str = ""
