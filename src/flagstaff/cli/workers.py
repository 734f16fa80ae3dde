"""May a job's new name be published, and is its old one gone?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.cli.workers_plan import plan
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.errors import MissingExtra, Unavailable, UsageError

if TYPE_CHECKING:
    from flagstaff.workers.draining import Proof
    from flagstaff.workers.knowing import Knowledge

MARKS = {"empty": "✓", "found": "✗", "unknown": "?"}


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
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


@click.group(cls=Tree, context_settings=SETTINGS)
def workers() -> None:
    """Rename background jobs and lose none."""


workers.add_command(plan)


@workers.command(context_settings=SETTINGS)
@click.argument("name")
@_where
@click.option("--queue", default="", help="Where it will wait; somebody must take jobs from it.")
@click.pass_obj
def ready(common: Common, /, *, name: str, queue: str, **where: Any) -> int:
    """Say whether every worker that is alive knows NAME; only then exit with 0."""
    _, asker = _asker(**where)
    from flagstaff.workers.knowing import who_knows  # noqa: PLC0415 help must stay quick

    known = _reached(asker, lambda: who_knows(asker, name, queue))
    if common.json:
        output.say_json({"ok": known.ready, **asdict(known)})
    else:
        _show_knowledge(known)
    return 0 if known.ready else 1


@workers.command(context_settings=SETTINGS)
@click.argument("name")
@_where
@click.option("--stable", metavar="DURATION", default="30s", help="For so long nothing is found.")
@click.option("--queue", "queues", multiple=True, help="A queue to look into besides those known.")
@click.pass_obj
def drained(
    common: Common, /, *, name: str, stable: str, queues: tuple[str, ...], **where: Any
) -> int:
    """Prove that no job of NAME is left anywhere; only then exit with 0."""
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 as above

    seconds = parse_duration(stable).total_seconds()
    app, asker = _asker(**where)
    from flagstaff.workers.draining import prove, scan  # noqa: PLC0415 as above

    own = where["app"] is not None
    proof = _reached(
        asker,
        lambda: prove(lambda: scan(app, asker, name, queues=queues, own=own), name, stable=seconds),
    )
    if common.json:
        output.say_json(
            {
                "ok": proof.drained,
                "name": name,
                "stable_s": round(proof.stable, 3),
                "looks": proof.looks,
                "places": [each.to_json() for each in proof.places],
            }
        )
    else:
        _show_proof(proof)
    return 0 if proof.drained else 1


def _asker(
    *, broker: str | None, broker_file: str | None, app: str | None, workers: int, timeout: str
) -> tuple[Any, Any]:
    """Return a Celery application with the address, and who asks its workers."""
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 as above

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
        UsageError: there is none.
    """
    try:
        from celery.app.utils import find_app  # noqa: PLC0415 an extra
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("celery", package="celery") from exc
    try:
        return find_app(app)
    except (ImportError, AttributeError) as exc:
        raise UsageError(
            f"there is no Celery application at {app}: {exc}",
            hint="such as --app shop.celery:app, in the folder that has `shop`",
        ) from exc


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


def _reached(asker: Any, ask: Callable[[], Any]) -> Any:
    from kombu.exceptions import OperationalError  # noqa: PLC0415 an extra

    unreachable: tuple[type[Exception], ...] = (OperationalError, OSError)
    try:
        from redis.exceptions import RedisError  # noqa: PLC0415 not with every broker

        unreachable = (*unreachable, RedisError)
    except ModuleNotFoundError:
        pass
    try:
        with closing(asker):
            return ask()
    except unreachable as exc:
        raise Unavailable(f"the broker does not answer: {exc}") from exc


def _show_knowledge(known: Knowledge) -> None:
    for each in known.workers:
        queues = ", ".join(each.queues) or "no queue"
        mark = "✓" if each.knows else "✗"
        output.say(output.marked(f"{mark} {each.node}, takes jobs from {queues}"))
    for problem in known.problems:
        output.remark(problem)
    output.remark(f"{known.name} {'may' if known.ready else 'must not'} be published")


def _show_proof(proof: Proof) -> None:
    for each in proof.places:
        words = [each.state.value]
        if each.count:
            words.append(f"{'' if each.exact else 'about '}{each.count} jobs")
        if each.embedded:
            words.append(f"{each.embedded} to follow others")
        if each.doubt:
            words.append(each.doubt)
        output.say(output.marked(f"{MARKS[each.state.value]} {each.place}: {', '.join(words)}"))
    verdict = f"drained: nothing found for {proof.stable:.1f} s, {proof.looks} looks"
    output.remark(verdict if proof.drained else f"{proof.name} is not drained")
