"""What do workers hold in their memory, and what does beat bring?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flagstaff.workers.asking import Answers, Asker, is_error
from flagstaff.workers.places import Place
from flagstaff.workers.remote import COMMAND, beat_entries

KINDS = {
    "scheduled": "workers: waiting for their time",
    "reserved": "workers: reserved",
    "active": "workers: running",
}


def worker_places(asker: Asker, name: str, app: Any = None) -> list[Place]:
    """Return what workers hold, each kind of memory, and the entries of beat.

    Args:
        asker: of the broker.
        name: that is looked for.
        app: the application itself, if it is at hand: its settings say what beat brings.
    """
    asked = {kind: asker.ask(kind) for kind in KINDS}
    own = asker.ask(COMMAND, name=name)
    told = {node: said for node, said in own.replies if _is_told(said)}
    places = [
        Place(place=KINDS[kind], count=_count(answers, name), doubt=_doubt(answers))
        for kind, answers in asked.items()
    ]
    return [*places, _following(asked["active"], own, told), _beat(told, own.doubt, name, app)]


def _is_told(said: Any) -> bool:
    return isinstance(said, Mapping) and not is_error(said)


def _count(answers: Answers, name: str) -> int:
    found = 0
    for _, said in answers.replies:
        for each in said if isinstance(said, list) else ():
            found += each.get("request", each).get("name") == name
    return found


def _doubt(answers: Answers) -> str:
    failed = [node for node, said in answers.replies if not isinstance(said, list)]
    if failed and not answers.doubt:
        return f"no answer that can be read from {', '.join(failed)}"
    return answers.doubt


def _following(active: Answers, own: Answers, told: Mapping[str, Any]) -> Place:
    """Return what follows jobs that run: only the worker knows, once they are acknowledged."""
    silent = [
        node
        for node, said in active.replies
        if node not in told and isinstance(said, list) and said
    ]
    doubt = active.doubt or own.doubt
    if silent:
        doubt = (
            f"{', '.join(silent)} runs jobs and cannot say what follows them: "
            "declare the rename there"
        )
    embedded = sum(int(said["embedded"]) for said in told.values())
    return Place(place="workers: to follow what runs", embedded=embedded, doubt=doubt)


def _beat(told: Mapping[str, Any], missing: str, name: str, app: Any) -> Place:
    sources = [*told.values(), *([beat_entries(app, name)] if app is not None else [])]
    elsewhere = sorted({str(said["scheduler"]) for said in sources} - {""})
    doubt = ""
    if not sources:
        doubt = "no worker says what beat brings: give --app"
    elif elsewhere:
        doubt = f"entries may be in {', '.join(elsewhere)}"
    elif app is None:
        doubt = missing
    return Place(
        place="beat entries",
        count=max((int(said["beat"]) for said in sources), default=0),
        doubt=doubt,
    )
