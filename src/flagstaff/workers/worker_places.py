"""What do workers hold in their memory, and what does beat bring?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flagstaff.workers.asking import Answers, Asker, is_error
from flagstaff.workers.places import Place
from flagstaff.workers.remote import COMMAND
from flagstaff.workers.scheduling import beat_entries

KINDS = {
    "scheduled": "workers: waiting for their time",
    "reserved": "workers: reserved",
    "active": "workers: running",
}

LIMITED = "workers: held back by a rate limit"

RATE = "rate_limit="
"""What Celery adds to the names of tasks that have one, as in `app.notify [rate_limit=10/s]`."""

FOLLOWING = {
    "embedded": ("workers: to follow what runs", ("active",)),
    "waiting": ("workers: to follow what waits there", ("scheduled", "reserved")),
}
"""What follows jobs of each kind, by the word of the worker; Celery's own answers do not say it."""


def worker_places(
    asker: Asker, name: str, app: Any = None, *, unseen: bool = False, cleaned_up: bool = False
) -> list[Place]:
    """Return what workers hold, each kind of memory, and the entries of beat.

    Args:
        asker: of the broker.
        name: that is looked for.
        app: the application itself, if it is at hand: its settings say what beat brings.
        unseen: whether the broker does not show what it has handed out, so that only workers can
            say what follows the jobs that wait there.
        cleaned_up: whether it was proven before that nothing follows and beat brings nothing, and
            workers that cannot say so any more are believed.
    """
    asked = {kind: asker.ask(kind) for kind in KINDS}
    own = asker.ask(COMMAND, name=name)
    told = [(node, said) for node, said in own.replies if _is_told(said)]
    registered = asker.ask("registered") if unseen else None
    places = [
        Place(place=KINDS[kind], count=_count(answers, name), doubt=_doubt(answers))
        for kind, answers in asked.items()
    ]
    following = [
        Place(
            place=place,
            embedded=sum(int(said.get(word, 0)) for _, said in told),
            doubt=_silent([asked[kind] for kind in kinds], own, word)
            if not cleaned_up and (unseen or word == "embedded")
            else "",
        )
        for word, (place, kinds) in FOLLOWING.items()
    ]
    limited = Place(
        place=LIMITED,
        count=sum(int(said.get("limited", 0)) for _, said in told),
        doubt=_limiting(registered, own, name, cleaned_up=cleaned_up) if registered else "",
    )
    beat = _beat([said for _, said in told], own.doubt, name, app)
    if cleaned_up and not told and (own.replies or app is not None):
        beat = replace(beat, doubt="")
    return [*places, limited, *following, beat]


def _is_told(said: Any) -> bool:
    return isinstance(said, Mapping) and not is_error(said)


def _count(answers: Answers, name: str) -> int:
    found = 0
    for _, said in answers.replies:
        for each in said if isinstance(said, list) else ():
            job = each.get("request", each)
            # The name may be one that the publisher wanted to be shown, its `shadow`.
            found += name in (job.get("type"), job.get("name"))
    return found


def _doubt(answers: Answers) -> str:
    failed = [node for node, said in answers.replies if not isinstance(said, list)]
    if failed and not answers.doubt:
        return f"no answer that can be read from {', '.join(failed)}"
    return answers.doubt


def _silent(held: list[Answers], own: Answers, word: str) -> str:
    """Return why it is not known what follows jobs of a kind: those that have some must say it."""
    some = {
        node
        for answers in held
        for node, said in answers.replies
        if isinstance(said, list) and said
    }
    if silent := some & _mute(own, word, some):
        doing = "runs" if word == "embedded" else "holds"
        return (
            f"{', '.join(sorted(silent))} {doing} jobs and cannot say what follows them: "
            "declare the rename there"
        )
    return next((each.doubt for each in held if each.doubt), own.doubt)


def _limiting(registered: Answers, own: Answers, name: str, *, cleaned_up: bool) -> str:
    """Return why it is not known what rate limits hold back, where the broker does not show it.

    After the cleanup only a limit of the name itself matters.
    """
    limiting = {
        node
        for node, said in registered.replies
        for each in (said if isinstance(said, list) else ())
        if RATE in str(each) and (not cleaned_up or str(each).startswith(f"{name} ["))
    }
    if silent := limiting & _mute(own, "limited", limiting):
        return (
            f"{', '.join(sorted(silent))} limits rates and cannot say what waits for that: "
            "declare the rename there"
        )
    return registered.doubt


def _mute(own: Answers, word: str, nodes: set[str]) -> set[str]:
    """Return those of the workers that do not say all; two of them may have one name."""
    said = {node for node, _ in own.replies}
    lacking = {node for node, each in own.replies if not _is_told(each) or word not in each}
    return lacking | (nodes - said)


def _beat(told: list[Any], missing: str, name: str, app: Any) -> Place:
    sources = [*told, *([beat_entries(app, name)] if app is not None else [])]
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
