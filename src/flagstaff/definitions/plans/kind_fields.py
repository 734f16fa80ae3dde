"""How is one field of a step read, and written?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from flagstaff.definitions.duration import format_duration, parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import ListNode
from flagstaff.definitions.plans.values import flow, raw, texts, whole
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.errors import UsageError
from flagstaff.rollouts.condition import parse_condition

OWN: Final = "cleanup"
"""What `released:` says when it means the rollout's own cleanup request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What fields that are left out may come from."""

    environments: tuple[str, ...]
    announce_to: tuple[str, ...] = ()
    channels: Mapping[str, str]
    commands: tuple[str, ...] = ()
    brokers: tuple[str, ...] = ()
    flag: str = ""


Read = Callable[[Fields, str, Around], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a kind: which attribute it fills, and how it is read and written.

    `absent` is what holds without it; `needed` that there is no such thing. What may be
    `inherited` from around it is always written.
    """

    key: str
    read: Read
    write: Callable[[Any], object]
    attribute: str = ""
    needed: bool = True
    absent: object = None
    inherited: Callable[[Around], object] | None = None

    @property
    def name(self) -> str:
        """Return the attribute of the action."""
        return self.attribute or self.key


def read_environments(fields: Fields, key: str, around: Around) -> object:
    """Return environments of the project."""
    names = fields.parsed_list(key, str)
    for name in names or ():
        if name not in around.environments:
            fields.problems.error(
                f"{fields.label(key)} names {quote(name)}, which is no environment",
                line=fields.line(key),
                remedy=suggestion(name, around.environments),
            )
    return names


def read_text(fields: Fields, key: str, _: Around) -> object:
    """Return the text as it stands."""
    return raw(fields, key)


def read_channels(fields: Fields, key: str, around: Around) -> object:
    """Return channels, by their own names."""
    names = texts(fields, key)
    return None if names is None else tuple(around.channels.get(name, name) for name in names)


def read_duration(fields: Fields, key: str, _: Around) -> object:
    """Return a length of time."""
    return fields.parsed(key, parse_duration)


def one_of(words: type[StrEnum]) -> Read:
    """Return what reads one of the words."""

    def read(fields: Fields, key: str, _: Around) -> object:
        word = fields.choice(key, tuple(each.value for each in words))
        return words(word) if word in {each.value for each in words} else None

    return read


def read_commit(fields: Fields, key: str, _: Around) -> object:
    """Return a commit."""
    return fields.parsed(key, _commit_name)


def _commit_name(text: str) -> str:
    if "<" in text or " " in text:
        raise UsageError(
            f"{quote(text)} is no commit", hint="write its hash, or give the parameter a value"
        )
    return text


def read_request(fields: Fields, key: str, _: Around) -> object:
    """Return a request, empty for the rollout's own."""
    text = fields.text(key)
    return "" if text == OWN else text


def environment_field(*, absent: tuple[str, ...] | None = None) -> Field:
    """Return the field of environments, needed if nothing holds without it."""
    return Field(
        key="environments",
        read=read_environments,
        write=flow,
        needed=absent is None,
        absent=absent or (),
    )


def read_boolean(fields: Fields, key: str, _: Around) -> object:
    """Return a truth value."""
    return fields.boolean(key)


def read_whole(fields: Fields, key: str, _: Around) -> object:
    """Return a whole number."""
    return fields.parsed(key, whole)


def read_command(fields: Fields, key: str, around: Around) -> object:
    """Return the name of a command that the project declares."""
    return _declared(fields, key, "command", around.commands)


def read_broker(fields: Fields, key: str, around: Around) -> object:
    """Return the name of a broker that the project declares."""
    return _declared(fields, key, "broker", around.brokers)


def _declared(fields: Fields, key: str, noun: str, known: Sequence[str]) -> str | None:
    name = fields.text(key)
    if name is not None and name not in known:
        fields.problems.error(
            f"{fields.label(key)} is {quote(name)}, which is no {noun} of the project",
            line=fields.line(key),
            remedy=suggestion(name, known)
            if known
            else f"declare it under `{noun}s:` in flagstaff.yml",
        )
    return name


def read_name(fields: Fields, key: str, _: Around) -> object:
    """Return the name of a background job."""
    return fields.parsed(key, _job_name)


def _job_name(text: str) -> str:
    # It becomes a word of a command: what begins with a dash would be an option of it.
    if text.startswith("-") or any(each.isspace() for each in text):
        raise UsageError(f"{quote(text)} is no name of a job", hint="write it as workers know it")
    return text


def read_condition(fields: Fields, key: str, _: Around) -> object:
    """Return a condition that can be read."""
    return fields.parsed(key, _condition)


def _condition(text: str) -> str:
    parse_condition(text)
    return text


def read_moment(fields: Fields, key: str, _: Around) -> object:
    """Return a moment with its time zone."""
    return fields.parsed(key, _moment)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"{quote(text)} is no moment with a time zone",
            hint="write one such as 2026-03-02T09:00:00+00:00",
        )
    return moment.astimezone(UTC)


def read_guards(fields: Fields, key: str, _: Around) -> object:
    """Return names of guards; `production` is none of them, and means the project's check."""
    if isinstance(fields.node(key), ListNode):
        return texts(fields, key)
    word = fields.text(key)
    return () if word == WELL or word is None else (word,)


def optional(key: str, read: Read, write: Callable[[Any], object], absent: object) -> Field:
    """Return a field that may be left out."""
    return Field(key=key, read=read, write=write, needed=False, absent=absent)


def length(key: str, absent: object = None) -> Field:
    """Return a length of time that may be left out."""
    return optional(key, read_duration, format_duration, absent)


ROLES: Final = ("viewer", "operator", "maintainer", "admin")
"""What whoever approves may have to be; see `commands.roles`, which says what they may do."""


def read_role(fields: Fields, key: str, _: Around) -> object:
    """Return the name of a role."""
    return fields.choice(key, ROLES)


def read_count(fields: Fields, key: str, _: Around) -> object:
    """Return how many people, at least one."""
    return fields.parsed(key, _count)


def _count(text: str) -> int:
    if not whole(text):
        raise UsageError("nobody cannot say yes", hint="write 1 or more")
    return whole(text)


WELL: Final = "production"
"""What `healthy:` says when it means that production is well, whatever guards say."""
