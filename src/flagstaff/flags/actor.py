"""Who is asked about, and under which id?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from flagstaff.errors import UsageError

OPT_OUT = ":opt_out"
"""Suffix of the marker that opts an actor out; the marker is stored as a member of the gate."""

MAX_ID_LENGTH = 255
NO_ATTRIBUTES: Mapping[str, object] = MappingProxyType({})
_HINT = "an actor is a text such as 'User:42', or an object with a `flag_id` or `flipper_id`"


@dataclass(frozen=True, slots=True)
class Actor:
    """An id with attributes, for code whose own objects have no `flag_id`.

    >>> Actor("User:42", {"plan": "gold"}).flag_id
    'User:42'
    """

    flag_id: str
    flag_attributes: Mapping[str, object] = field(default_factory=dict, hash=False)


def actor_id(actor: object) -> str:
    """Return the id of one actor.

    Args:
        actor: the id itself, or an object whose `flag_id` or `flipper_id` (a text, or a method
            returning one) is the id.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(actor, str):
        return actor
    for name in ("flag_id", "flipper_id"):
        found = getattr(actor, name, None)
        if callable(found):
            found = found()
        if isinstance(found, str):
            return found
    raise UsageError(f"a {type(actor).__name__} is not an actor", hint=_HINT)


def flatten(actors: Iterable[object]) -> tuple[object, ...]:
    """Return the actors of one question as a flat tuple.

    `None` (nobody is signed in) is no actor; a list, tuple or set stands for its members.
    """
    flat: list[object] = []
    for actor in actors:
        if actor is None:
            continue
        if isinstance(actor, Sequence | AbstractSet) and not isinstance(actor, str | bytes):
            flat.extend(flatten(actor))
        else:
            flat.append(actor)
    return tuple(flat)


def actor_ids(actors: Iterable[object]) -> tuple[str, ...]:
    """Return the ids of all actors of one question, in the order given.

    Raises:
        UsageError: one of them is not an actor.
    """
    return tuple(actor_id(actor) for actor in flatten(actors))


def quick_id(actor: object) -> str | None:
    """Return the id of the commonest kinds of actor; None: ask `flatten` and `actor_id`."""
    if actor.__class__ is str:
        return actor
    found = getattr(actor, "flag_id", None)
    return found if found.__class__ is str else None


def attributes_of(actor: object) -> Mapping[str, object]:
    """Return what expressions may ask about `actor`; a bare id has no attributes."""
    for name in ("flag_attributes", "flipper_properties"):
        found = getattr(actor, name, None)
        if callable(found):
            found = found()
        # The exact class first: to ask for an abstract one takes ten times as long.
        if found.__class__ is dict or isinstance(found, Mapping):
            return cast("Mapping[str, object]", found)
    return NO_ATTRIBUTES


def check_actor_id(text: str) -> str:
    """Return `text` if it may be stored as an actor's id.

    Raises:
        UsageError: it is empty, longer than 255 characters, or has blanks or control characters.
    """
    if not text:
        raise UsageError("the actor's id is empty", hint=_HINT)
    if len(text) > MAX_ID_LENGTH:
        raise UsageError(
            f"the actor's id {text[:20]!r}… has {len(text)} characters",
            hint=f"use at most {MAX_ID_LENGTH}",
        )
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        raise UsageError(f"the actor's id {text!r} has blanks or control characters", hint=_HINT)
    return text


def opt_out_marker(identity: str) -> str:
    """Return the member that opts `identity` out."""
    return identity + OPT_OUT
