"""How is it read what is to be done with waiting jobs and their queues?"""

from __future__ import annotations

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.plans.kind_fields import Around
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError


def read_queue(fields: Fields, key: str, _: Around) -> object:
    """Return the name of a queue."""
    return fields.parsed(key, _queue_name)


def check_migration(fields: Fields) -> None:
    """Note what a migration lacks, or that it would change nothing."""
    queues = [key for key in ("old_queue", "new_queue") if fields.has(key)]
    if len(queues) == 1:
        fields.problems.error(
            f"{fields.label(queues[0])} is one queue, and the other is missing",
            line=fields.line(queues[0]),
            remedy="write `old_queue` and `new_queue`, or neither where jobs stay in theirs",
        )
    names, places = _two(fields, "jobs", "to"), _two(fields, "old_queue", "new_queue")
    if names is not None and len(names) == 1 and (places is None or len(places) == 1):
        fields.problems.error(
            "this migration leaves jobs what and where they are",
            line=fields.line("to"),
            remedy="write another name under `to`, or two queues",
        )


def _two(fields: Fields, one: str, other: str) -> set[str | None] | None:
    if not (fields.has(one) and fields.has(other)):
        return None
    return {fields.text(one), fields.text(other)}


def _queue_name(text: str) -> str:
    # It becomes a word of a command: what begins with a dash would be an option of it.
    if text.startswith("-") or any(each.isspace() for each in text):
        raise UsageError(
            f"{quote(text)} is no name of a queue", hint="write it as the broker knows it"
        )
    return text
