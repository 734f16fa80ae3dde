"""How is what waits under an old name given the new one?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.cli.workers_broker import connected, reached, with_broker, with_management
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from flagstaff.workers.migrated import Outcome

EVERY = 0.5
"""Seconds between two words about how far it is."""


@click.command(context_settings=SETTINGS)
@click.argument("old")
@click.argument("new")
@click.option("--old-queue", default="", metavar="QUEUE", help="Jobs that wait there move.")
@click.option("--new-queue", default="", metavar="QUEUE", help="To where.")
@with_broker
@with_management
@click.option("--queue", "queues", multiple=True, help="A queue to look into besides those known.")
@click.option("--leave", is_flag=True, help="Exit with 0 if only what cannot be rewritten is left.")
@click.option("--force", is_flag=True, help="Even if workers do not know NEW, or none answers.")
@click.pass_obj
def migrate(
    common: Common,
    /,
    *,
    old: str,
    new: str,
    queues: tuple[str, ...],
    management: str,
    **where: Any,
) -> int:
    """Give jobs that wait as OLD the name NEW, and lose none; exit with 0 if none is left.

    It can be killed at any time, and begun anew: each job is there once. What workers have fetched
    already they run as OLD; what they give back has the new name.
    """
    old_queue, new_queue = where.pop("old_queue"), where.pop("new_queue")
    force, leave = where.pop("force"), where.pop("leave")
    app, asker = connected(**where)
    from flagstaff.workers.migrating import dangers  # noqa: PLC0415 help must stay quick
    from flagstaff.workers.migrating import migrate as begin  # noqa: PLC0415 as above
    from flagstaff.workers.migration import Migration  # noqa: PLC0415 as above

    wanted = Migration(old=old, new=new, old_queue=old_queue, new_queue=new_queue)

    def work() -> Outcome:
        told = None
        if management:
            from flagstaff.workers import rabbitmq_management as rabbitmq  # noqa: PLC0415 as above

            told = rabbitmq.management_of(app, management)
        problems = () if force or common.dry_run else dangers(asker, wanted, told)
        if problems:
            raise Conflict(
                f"{new} is not safe to wait for a worker: {'; '.join(problems)}",
                hint=f"flagstaff workers ready {new}; --force where you know better",
            )
        known = {*queues, *(app.amqp.queues if where["app"] is not None else ())}
        dry = common.dry_run
        return begin(app, wanted, queues=known, tell=_telling(), dry=dry, management=told)

    done: Outcome = reached(asker, work)
    ok = done.complete or common.dry_run or (leave and done.settled)
    if common.json:
        output.say_json({"ok": ok, "dry_run": common.dry_run, **done.to_json()})
    else:
        _show(done, dry=common.dry_run)
    return 0 if ok else 1


def _telling() -> Callable[[str, int, int], None]:
    """Return what says how far it is, now and then."""
    said = time.monotonic()

    def tell(place: str, read: int, length: int) -> None:
        nonlocal said
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            output.remark(f"{place}: {read:,} of {length:,}")

    return tell


def _show(done: Outcome, *, dry: bool) -> None:
    for each in done.places:
        words = [f"{each.jobs:,} {'job' if each.jobs == 1 else 'jobs'}"]
        if each.embedded:
            words.append(f"{each.embedded:,} to follow others")
        if each.left:
            words.append(f"{each.left:,} left" + (f" ({each.doubt})" if each.doubt else ""))
        mark = "✗" if each.left else "✓"
        output.say(output.marked(f"{mark} {each.place}: {', '.join(words)}"))
    wanted = done.migration
    verb = "would be migrated" if dry else "migrated"
    output.remark(f"{done.jobs:,} jobs of {wanted.old} {verb} to {wanted.new}")
    if not done.settled and not dry:
        output.remark(f"{wanted.old} is still being published: open the flag, then migrate again")
    if done.left:
        output.remark("what is left cannot be rewritten, and is run as it is: let workers do so")
    if not dry:
        output.suggest(f"flagstaff workers drained {wanted.old}")
