"""Whose answers are compared?"""

from __future__ import annotations

import json

from flagstaff.errors import UsageError
from flagstaff.flags.actor import Actor, check_actor_id

USUAL = 10_000
FORM = "User:{n}"
NUMBER = "{n}"
MOST = 1_000_000
_HINT = 'write one id on a line, or an object such as {"id": "User:42", "plan": "gold"}'


def sample_actors(count: int, form: str = FORM) -> list[Actor]:
    """Return made-up actors, numbered from 1.

    >>> sample_actors(1)[0].flag_id
    'User:1'

    Raises:
        UsageError: the form has no place for the number, or makes no ids.
    """
    if NUMBER not in form:
        raise UsageError(f"the form {form!r} has no {NUMBER}", hint=f"write for example {FORM}")
    if not 1 <= count <= MOST:
        raise UsageError(f"{count} is no number of actors", hint=f"at least 1, at most {MOST:,}")
    check_actor_id(form.replace(NUMBER, str(count)))
    return [Actor(form.replace(NUMBER, str(each))) for each in range(1, count + 1)]


def read_actors(data: bytes, *, source: str) -> list[Actor]:
    """Return the actors of a file, each once: an id on a line, or a JSON object on a line.

    Raises:
        UsageError: a line is neither; it is named.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise UsageError(f"{source}: byte {exc.start + 1} is not UTF-8", hint=_HINT) from exc
    found: dict[str, Actor] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            actor = _from_json(text) if text.startswith("{") else Actor(check_actor_id(text))
        except UsageError as exc:
            raise UsageError(f"{source}:{number}: {exc.message}", hint=_HINT) from exc
        found.setdefault(actor.flag_id, actor)
    if not found:
        raise UsageError(f"{source} lists no actors", hint=_HINT)
    return list(found.values())


def _from_json(text: str) -> Actor:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"not JSON: {exc}") from exc
    identity = found.pop("id", None)
    if isinstance(identity, int) and not isinstance(identity, bool):
        identity = str(identity)
    if not isinstance(identity, str):
        raise UsageError("there is no text under `id`")
    more = found.pop("attributes", {})
    if not isinstance(more, dict):
        raise UsageError("`attributes` is no object")
    return Actor(check_actor_id(identity), {**found, **more})
