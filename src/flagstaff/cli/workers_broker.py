"""Which broker is meant, and does it answer?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from flagstaff.errors import FlagstaffError, MissingExtra, Unavailable, UsageError


def with_broker(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name a broker and how long its workers have."""
    for option in (
        click.option("--broker", metavar="URL", help="Such as redis://127.0.0.1:6379/0."),
        click.option("--broker-file", metavar="FILE", help="A file that holds it, as a secret."),
        click.option("--app", metavar="MODULE:APP", help="Your Celery application, instead."),
        click.option("--workers", type=click.IntRange(0), default=0, help="So many must answer."),
        click.option(
            "--timeout", metavar="DURATION", default="2s", help="For the answers of workers."
        ),
    ):
        command = option(command)
    return command


def with_management(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names RabbitMQ's management."""
    about = "Of RabbitMQ, such as http://127.0.0.1:15672."
    return click.option("--management", metavar="URL", default="", help=about)(command)


def connected(
    *, broker: str | None, broker_file: str | None, app: str | None, workers: int, timeout: str
) -> tuple[Any, Any]:
    """Return a Celery application with the address, and who asks its workers."""
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 help must stay quick

    if [broker, broker_file, app].count(None) != 2:  # noqa: PLR2004 all but one
        raise UsageError(
            "which broker? it takes one of --broker, --broker-file and --app",
            hint="for example --broker redis://127.0.0.1:6379/0",
        )
    seconds = parse_duration(timeout).total_seconds()
    try:
        from celery import Celery  # noqa: PLC0415 an extra
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("celery", package="celery") from exc
    from flagstaff.workers.asking import Asker  # noqa: PLC0415 as above

    if app is None:
        address = broker or _address_in(Path(broker_file or ""))
        made = Celery("flagstaff", broker=address, set_as_current=False)
        made.conf.broker_connection_max_retries = 1
    else:
        made = application(app)
    return made, Asker(made, timeout=seconds, expected=workers)


def application(app: str) -> Any:
    """Return the Celery application of that name.

    Raises:
        UsageError: there is none, or its code cannot be loaded here.
    """
    try:
        from celery import Celery  # noqa: PLC0415 an extra
        from celery.app.utils import find_app  # noqa: PLC0415 an extra
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("celery", package="celery") from exc
    try:
        found = find_app(app)
    except (ImportError, AttributeError) as exc:
        raise UsageError(
            f"there is no Celery application at {app}: {exc}",
            hint="such as --app shop.celery:app, in the folder that has `shop`",
        ) from exc
    except SystemExit as exc:  # with its exit code, a 0 would be taken for a proof
        raise UsageError(
            f"{app} ends the program while it is imported",
            hint="let it do so only under `if __name__ == '__main__':`",
        ) from exc
    except FlagstaffError as exc:
        needs = "its code needs here what it needs where workers run"
        raise UsageError(
            f"{app} cannot be loaded: {exc.message}",
            hint=f"{exc.hint}; {needs}" if exc.hint else needs,
        ) from exc
    except Exception as exc:  # whatever the application's own code raises
        raise UsageError(
            f"{app} cannot be loaded: {type(exc).__name__}: {exc}",
            hint=f"see where: python -c 'import {app.partition(':')[0]}'",
        ) from exc
    if not isinstance(found, Celery):
        raise UsageError(
            f"there is no Celery application at {app}: it is of the type {type(found).__name__}",
            hint="such as --app shop.celery:app, in the folder that has `shop`",
        )
    return found


def _address_in(file: Path) -> str:
    try:
        address = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"{file} cannot be read: {getattr(exc, 'strerror', None) or exc}",
            hint="name a file that holds the address of the broker, and nothing else",
        ) from exc
    if "://" not in address or len(address.split()) != 1:
        # The text stays out of the message: it may hold a password.
        raise UsageError(f"{file} holds no address", hint="such as redis://127.0.0.1:6379/0")
    return address


def reached(asker: Any, ask: Callable[[], Any]) -> Any:
    """Return what is asked, and let go of the broker.

    Raises:
        Unavailable: the broker does not answer, or ends it.
    """
    from kombu.exceptions import OperationalError  # noqa: PLC0415 an extra

    unreachable: tuple[type[Exception], ...] = (OperationalError, OSError)
    try:
        from redis.exceptions import RedisError  # noqa: PLC0415 not with every broker

        unreachable = (*unreachable, RedisError)
    except ModuleNotFoundError:
        pass
    refusing: tuple[type[Exception], ...] = ()
    try:
        from amqp.exceptions import AMQPError  # noqa: PLC0415 as above

        refusing = (AMQPError,)  # Kombu passes on what comes after the connection as it is
    except ModuleNotFoundError:
        pass
    try:
        with closing(asker):
            return ask()
    except unreachable as exc:
        raise Unavailable(f"the broker does not answer: {exc}") from exc
    except refusing as exc:
        raise Unavailable(
            f"RabbitMQ ended it: {exc}",
            hint="see that it runs, and what its user may do; then begin anew",
        ) from exc
