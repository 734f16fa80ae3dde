"""How is an old queue deleted?"""

from __future__ import annotations

from typing import Any

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.cli.workers_broker import connected, reached, with_broker, with_management
from flagstaff.commands.tree import SETTINGS, Tree


@click.group(cls=Tree, context_settings=SETTINGS)
def queue() -> None:
    """Delete queues that hold nothing."""


@queue.command(context_settings=SETTINGS)
@click.argument("name")
@with_broker
@with_management
@click.pass_obj
def delete(common: Common, /, *, name: str, management: str, **where: Any) -> int:
    """Delete the queue NAME, if it holds nothing, nothing was handed out and no worker has it.

    A queue that is not there is no failure.
    """
    common.no_dry_run("flagstaff workers queue delete")
    app, asker = connected(**where)
    from flagstaff.workers.deleting import delete_queue  # noqa: PLC0415 help must stay quick

    def work() -> bool:
        told = None
        if management:
            from flagstaff.workers import rabbitmq_management as rabbitmq  # noqa: PLC0415 as above

            told = rabbitmq.management_of(app, management)
        return delete_queue(app, asker, name, told)

    there: bool = reached(asker, work)
    if common.json:
        output.say_json({"ok": True, "name": name, "deleted": there})
    else:
        output.remark(f"{name} is deleted" if there else f"there is no queue {name}")
    return 0
