"""May a job's new name be published, and is its old one gone?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.cli.workers_broker import connected, reached, with_broker, with_management
from flagstaff.cli.workers_migrate import migrate
from flagstaff.cli.workers_plan import plan
from flagstaff.cli.workers_queue import queue as queue_group
from flagstaff.commands.tree import SETTINGS, Tree

if TYPE_CHECKING:
    from flagstaff.workers.draining import Proof
    from flagstaff.workers.knowing import Knowledge
    from flagstaff.workers.places import Place

MARKS = {"empty": "✓", "found": "✗", "unknown": "?"}


@click.group(cls=Tree, context_settings=SETTINGS)
def workers() -> None:
    """Rename background jobs and lose none."""


workers.add_command(plan)
workers.add_command(migrate)
workers.add_command(queue_group)


@workers.command(context_settings=SETTINGS)
@click.argument("name")
@with_broker
@with_management
@click.option("--queue", default="", help="Where it will wait, with --app by its routes.")
@click.pass_obj
def ready(common: Common, /, *, name: str, queue: str, management: str, **where: Any) -> int:
    """Say whether every worker that is alive knows NAME; only then exit with 0."""
    app, asker = connected(**where)
    from flagstaff.workers.knowing import who_knows  # noqa: PLC0415 help must stay quick

    def work() -> Knowledge:
        if management:
            from flagstaff.workers import rabbitmq_management as rabbitmq  # noqa: PLC0415 as above

            asker.expect(rabbitmq.management_of(app, management).report().workers)
        return who_knows(asker, name, queue or _waits_in(app, name, own=where["app"] is not None))

    known: Knowledge = reached(asker, work)
    if common.json:
        output.say_json({"ok": known.ready, **asdict(known)})
    else:
        _show_knowledge(known)
    return 0 if known.ready else 1


@workers.command(context_settings=SETTINGS)
@click.argument("name")
@with_broker
@with_management
@click.option("--stable", metavar="DURATION", default="30s", help="For so long nothing is found.")
@click.option("--queue", "queues", multiple=True, help="A queue to look into besides those known.")
@click.option(
    "--cleaned-up",
    is_flag=True,
    help="It was proven before, and the declaration is gone: do not ask for what only that tells.",
)
@click.pass_obj
def drained(
    common: Common,
    /,
    *,
    name: str,
    stable: str,
    queues: tuple[str, ...],
    cleaned_up: bool,
    management: str,
    **where: Any,
) -> int:
    """Prove that no job of NAME is left anywhere; only then exit with 0."""
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 as above

    seconds = parse_duration(stable).total_seconds()
    app, asker = connected(**where)
    from flagstaff.workers.draining import prove, scan  # noqa: PLC0415 as above

    own = where["app"] is not None

    def work() -> Proof:
        told, least = None, 0.0
        if management:
            from flagstaff.workers import rabbitmq_management as rabbitmq  # noqa: PLC0415 as above

            # What was handed out before the first look shows in the figures of the last.
            told, least = rabbitmq.management_of(app, management), rabbitmq.LATE

        def look() -> list[Place]:
            return scan(
                *(app, asker, name),
                queues=queues,
                own=own,
                management=told,
                cleaned_up=cleaned_up,
            )

        return prove(look, name, stable=max(seconds, least))

    proof: Proof = reached(asker, work)
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


def _waits_in(app: Any, name: str, *, own: bool) -> str:
    if not own:  # the routes are the team's
        return ""
    from flagstaff.workers.renames import queue_of  # noqa: PLC0415 as above

    return queue_of(app, name)


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
