"""Under which names do jobs travel that are to follow another one?

Whoever runs the one publishes the other, as it stands in the message. A worker of the deployment
before knows one of the two names only, and asks no flag: so that name stands there, whichever the
code used, until the flag says the other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from celery.canvas import Signature

from flagstaff.workers.rename import Flags, Rename, Variant

log = logging.getLogger("flagstaff")

FOLLOWERS = ("link", "link_error", "chord", "chain")
"""Options of a job with what is to follow it."""

INSIDE = ("tasks", "header", "body", "task")
"""Arguments of Celery's own tasks that are signatures, or lists of them."""

SIGNATURE = {"task", "args", "kwargs", "options"}
"""What every signature has; other mappings with a `task` are somebody's arguments."""


class Following:
    """Says which names signatures have in a message.

    Args:
        renames: by both of their names; more may be added later.
    """

    def __init__(self, renames: Mapping[str, tuple[Rename, Flags]]) -> None:
        self._renames = renames

    def named(self, args: Any, kwargs: Any, options: dict[str, Any]) -> tuple[Any, Any]:
        """Return the arguments of a job and change its options: what follows has its name there.

        Chords that poll, `map` and `starmap` have theirs among the arguments, and so may a team's
        own tasks.
        """
        try:
            for word in FOLLOWERS:
                if following := options.get(word):
                    options[word] = self._in_value(following)
            if args and isinstance(args, list | tuple) and any(map(_leads, args)):
                args = [self._argument(each) for each in args]
            if kwargs and isinstance(kwargs, dict) and any(map(_leads, kwargs.values())):
                kwargs = {key: self._argument(each) for key, each in kwargs.items()}
        except RecursionError:
            log.warning("what follows is nested too deeply, and keeps its names")
        return args, kwargs

    def _argument(self, value: Any) -> Any:
        """Return an argument as it is to travel; pickled, a signature has to come as one."""
        if isinstance(value, list | tuple):
            return [self._argument(each) for each in value]
        made = self._in_value(value)
        if made is value or not isinstance(value, Signature):
            return made
        return Signature.from_dict(made, app=value.app)

    def _in_value(self, value: Any) -> Any:
        """Return a signature or a list of them, as it is to travel; the same one if it may."""
        if isinstance(value, list | tuple):
            made = [self._in_value(each) for each in value]
            same = all(one is other for one, other in zip(made, value, strict=True))
            return value if same else made
        if not _is_signature(value):
            return value
        changed = self._changed(value)
        return {**value, **changed} if changed else value

    def _changed(self, signature: Mapping[str, Any]) -> dict[str, Any]:
        name, options = signature["task"], signature["options"]
        changed: dict[str, Any] = {}
        followers = self._within(options, FOLLOWERS)
        if isinstance(name, str) and name.startswith("celery."):
            inside = self._within(signature["kwargs"], INSIDE)
            if inside:
                changed["kwargs"] = {**signature["kwargs"], **inside}
        found = self._renames.get(name)
        if found is not None:
            rename, flags = found
            variant = rename.ahead(flags, str(options.get("task_id") or ""))
            if rename.name(variant) != name:
                changed["task"] = rename.name(variant)
                followers |= _readdressed(options, rename, variant)
        if followers:
            changed["options"] = {**options, **followers}
        return changed

    def _within(self, values: Any, words: Any) -> dict[str, Any]:
        """Return those of a mapping's values that change."""
        if not isinstance(values, Mapping):
            return {}
        made = {word: self._in_value(values[word]) for word in words if word in values}
        return {word: value for word, value in made.items() if value is not values[word]}


def _is_signature(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= SIGNATURE


def _leads(value: Any) -> bool:
    """Say whether an argument is a signature, or a list of them by its first element."""
    if isinstance(value, list | tuple):
        return bool(value) and isinstance(value[0], dict) and _is_signature(value[0])
    return isinstance(value, dict) and _is_signature(value)


def _readdressed(options: Any, rename: Rename, variant: Variant) -> dict[str, Any]:
    wanted = rename.queue(variant)
    queue = options.get("queue")
    name = getattr(queue, "name", queue)
    ours = {rename.old_queue, rename.new_queue}
    return {"queue": wanted} if wanted and name in ours and name != wanted else {}
