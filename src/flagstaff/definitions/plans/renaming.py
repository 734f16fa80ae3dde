"""Which plan renames background jobs so that none is lost, and can be taken back at every point?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from flagstaff.definitions.duration import format_duration
from flagstaff.definitions.project import JobRename, RampSettings
from flagstaff.flags.percentage import HUNDRED, format_percentage
from flagstaff.rollouts.checks import STABLE

HEAD: Final = """\
# Renames background jobs and loses none; what every key means: docs/reference/plan-files.md
# Until the cleanup is merged every worker knows both names: `flagstaff rollout abort` is safe at
# any point, also after the drain.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamePlan:
    """What a plan is made of.

    Attributes:
        flag: publishes the new names where it is on.
        renames: of the flag, at least one.
        broker: under `brokers:` in `flagstaff.yml`.
        environment: whose flag is opened.
        percentages: of jobs that are published under the new name, one after the other; all of
            them follows by itself.
        dwell: how long guards watch each.
        hold_back: for how many in 100 jobs the old name stays for the term, so that guards still
            have something to compare with; none for nobody.
        by: what the percentages are of: `actors` or `time`.
        term: how long guards watch when every job has the new name, before the drain.
        stable: for how long nothing of the old name may be found.
        migrate: whether what is left is renamed where it waits, instead of waited for.
        delete_queues: whether old queues are deleted in the end.
    """

    flag: str
    renames: Sequence[JobRename]
    broker: str
    environment: str
    percentages: Sequence[Decimal]
    dwell: timedelta
    hold_back: Decimal | None = None
    by: str
    term: timedelta
    stable: timedelta = STABLE
    migrate: bool = False
    delete_queues: bool = True


def rename_plan(wanted: RenamePlan) -> str:
    """Return the plan as YAML."""
    titles = ", ".join(f"{each.old} to {each.new}" for each in wanted.renames)
    head = [f"flag: {_quoted(wanted.flag)}", f"title: {_quoted(f'Rename {titles}')}"]
    if wanted.environment != "production":
        head.append(f"production: [{_quoted(wanted.environment)}]")
    return HEAD + "\n".join([*head, "steps:", *_steps(wanted)]) + "\n"


def _steps(wanted: RenamePlan) -> Iterator[str]:
    place = _quoted(wanted.environment)
    yield "  # Every worker has to know both names before one new name is published."
    for number, each in enumerate(wanted.renames, start=1):
        stage = "Both names everywhere" if number == 1 else ""
        yield from _knows(wanted, f"knows-{number}", each.new, each.new_queue, stage)
        yield from _knows(wanted, f"keeps-{number}", each.old, each.old_queue)
    yield "  # Workers are asked again before each step: a deployment may have been taken back."
    stage = "The new name is published"
    ramp = RampSettings(
        percentages=tuple(wanted.percentages), hold_back=wanted.hold_back, term=wanted.term
    )
    for share, dwell in (*ramp.rungs(wanted.dwell), (HUNDRED, wanted.term)):
        written = format_percentage(share).replace(".", "-")
        for number, each in enumerate(wanted.renames, start=1):
            name = f"knows-{number}-before-{written}"
            yield from _knows(wanted, name, each.new, each.new_queue, stage)
            stage = ""
        change = (
            "boolean: true"
            if share == HUNDRED
            else f"percentage_of_{wanted.by}: {format_percentage(share)}"
        )
        yield f"  - id: share-{written}"
        yield f"    set: {{{change}, environments: [{place}]}}"
        if share != HUNDRED:
            yield f"  - id: watch-{written}"
            yield f"    bake: {format_duration(dwell)}"
    yield "  - id: verification-term"
    yield "    stage: Verification term"
    yield f"    bake: {format_duration(wanted.term)}"
    yield from _drain(wanted)
    yield from _cleanup(wanted, place)


def _drain(wanted: RenamePlan) -> Iterator[str]:
    stage = "Drain"
    for number, each in enumerate(wanted.renames if wanted.migrate else (), start=1):
        yield f"  - id: migrate-{number}"
        yield from [f"    stage: {stage}"] if stage else []
        names = f"jobs: {_quoted(each.old)}, to: {_quoted(each.new)}"
        yield f"    migrate: {{{names}{_queues(each)}, broker: {_quoted(wanted.broker)}}}"
        stage = ""
    for number, each in enumerate(wanted.renames, start=1):
        yield from _drained(wanted, f"drained-{number}", each, stage)
        stage = ""


def _cleanup(wanted: RenamePlan, place: str) -> Iterator[str]:
    parts = ["references", "definition", "changelog", "old_jobs"]
    parts += ["old_queues"] if any(each.old_queue for each in wanted.renames) else []
    stage = "Clean up"
    for part in parts:
        yield f"  - id: cleanup-{part.replace('_', '-')}"
        yield from [f"    stage: {stage}"] if stage else []
        yield f"    cleanup: {part}"
        stage = ""
    yield "  - id: merge"
    yield "    merge:"
    yield "  # Held until the cleanup runs there: that code publishes new names, whatever the flag."
    yield f"  - delete: [{place}]"
    for number, each in enumerate(wanted.renames, start=1):
        stage = "Nothing came after" if number == 1 else ""
        yield from _drained(wanted, f"still-drained-{number}", each, stage, ", cleaned_up: true")
    for number, queue in enumerate(_old_queues(wanted) if wanted.delete_queues else (), start=1):
        yield f"  - id: delete-queue-{number}"
        yield f"    delete_queue: {{queue: {_quoted(queue)}, broker: {_quoted(wanted.broker)}}}"
    yield "  - close: rollout_issue"


def _old_queues(wanted: RenamePlan) -> tuple[str, ...]:
    """Return the queues that nothing waits in any more, each once."""
    new = {each.new_queue for each in wanted.renames}
    old = (each.old_queue for each in wanted.renames if each.old_queue)
    return tuple(dict.fromkeys(queue for queue in old if queue not in new))


def _queues(each: JobRename) -> str:
    if not (each.old_queue and each.new_queue) or each.old_queue == each.new_queue:
        return ""
    return f", old_queue: {_quoted(each.old_queue)}, new_queue: {_quoted(each.new_queue)}"


def _knows(
    wanted: RenamePlan, name: str, job: str, queue: str | None, stage: str = ""
) -> Iterator[str]:
    yield f"  - id: {name}"
    if stage:
        yield f"    stage: {stage}"
    where = f", queue: {_quoted(queue)}" if queue else ""
    broker = _quoted(wanted.broker)
    yield f"    check: {{workers_ready: {_quoted(job)}{where}, broker: {broker}}}"


def _drained(
    wanted: RenamePlan, name: str, each: JobRename, stage: str, more: str = ""
) -> Iterator[str]:
    yield f"  - id: {name}"
    if stage:
        yield f"    stage: {stage}"
    where = f", queues: [{_quoted(each.old_queue)}]" if each.old_queue else ""
    stable, broker = format_duration(wanted.stable), _quoted(wanted.broker)
    told = f"{where}, stable: {stable}, broker: {broker}{more}"
    yield f"    check: {{drained: {_quoted(each.old)}{told}}}"


def _quoted(text: str) -> str:
    plain = text.replace("_", "").replace(".", "").replace("-", "")
    simple = plain.isascii() and plain.isalnum() and text[0].isalpha()
    # YAML reads these as other than text.
    simple = simple and text.lower() not in {
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "n",
        "y",
    }
    return text if simple else json.dumps(text, ensure_ascii=False)
