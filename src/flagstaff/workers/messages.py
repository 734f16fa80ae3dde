"""Does a message hold a name: as its own, or for a job that is to follow it?"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

READABLE = {"application/json", "application/x-python-serialize", "application/x-yaml", "text/yaml"}
READABLE |= {"application/x-msgpack", "application/vnd.msgpack"}
"""In these a name stands as it is; other contents are encrypted, or not known to us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """How a message, or several, hold a name.

    Attributes:
        own: so many are jobs of that name.
        embedded: so many hold it inside, in a chain, chord, callback or argument.
        unreadable: of so many nobody can say.
    """

    own: int = 0
    embedded: int = 0
    unreadable: int = 0

    def __add__(self, other: Holds) -> Holds:
        return Holds(
            own=self.own + other.own,
            embedded=self.embedded + other.embedded,
            unreadable=self.unreadable + other.unreadable,
        )


NOTHING = Holds()
UNREADABLE = Holds(unreadable=1)


def in_raw(raw: bytes | str, name: str) -> Holds:
    """Return how a message of Kombu's JSON form holds the name; anything else is unreadable."""
    try:
        message = decoded(raw)
    except ValueError:
        return UNREADABLE
    return in_message(message, name)


def decoded(raw: bytes | str) -> Any:
    """Return what a text of JSON says.

    Raises:
        ValueError: it is none, or nested deeper than Python follows.
    """
    try:
        return json.loads(raw)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def is_message(raw: bytes | str) -> bool:
    """Say whether something in a list is a message of Kombu."""
    try:
        message = decoded(raw)
    except ValueError:
        return False
    return isinstance(message, Mapping) and {"body", "headers", "properties"} <= message.keys()


def in_message(message: Any, name: str) -> Holds:
    """Return how a message with `headers`, `body` and `content-type` holds the name."""
    if not isinstance(message, Mapping) or "body" not in message:
        return UNREADABLE
    headers, properties = (message.get(each) or {} for each in ("headers", "properties"))
    if not (isinstance(headers, Mapping) and isinstance(properties, Mapping)):
        return UNREADABLE
    if not isinstance(properties.get("delivery_info") or {}, Mapping):
        return UNREADABLE
    if headers.get("task") == name:
        return Holds(own=1)
    try:
        body = unpacked(message, headers)
    except (ValueError, TypeError):
        return UNREADABLE
    content = str(message.get("content-type"))
    if content not in READABLE:
        return UNREADABLE
    if not any(each in body for each in spellings(name)):
        return NOTHING
    if content != "application/json":
        return Holds(embedded=1)
    return _in_json(body, name)


def is_embedded(value: Any, name: str) -> bool:
    """Say whether a signature for the name is anywhere in a value: signatures are mappings."""
    if isinstance(value, Mapping):
        if value.get("task") == name:
            return True
        return any(is_embedded(each, name) for each in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return any(is_embedded(each, name) for each in value)
    return False


def _in_json(body: bytes, name: str) -> Holds:
    try:
        said = decoded(body)
        if isinstance(said, Mapping) and said.get("task") == name:  # the first protocol
            return Holds(own=1)
        return Holds(embedded=1) if is_embedded(said, name) else NOTHING
    except (ValueError, RecursionError):
        return UNREADABLE


def unpacked(message: Mapping[str, Any], headers: Mapping[str, Any]) -> bytes:
    """Return the body as it was before it was encoded and compressed.

    Raises:
        ValueError: it cannot be unpacked.
    """
    body = message["body"]
    if not isinstance(body, str | bytes | bytearray | memoryview):
        raise ValueError("the body is no text")  # noqa: TRY004 - as every other that is none
    encoded = (message.get("properties") or {}).get("body_encoding")
    raw = base64.b64decode(body) if encoded == "base64" else body
    raw = raw.encode() if isinstance(raw, str) else bytes(raw)
    if compression := headers.get("compression"):
        from kombu import compression as kinds  # noqa: PLC0415 - Celery is an extra

        decompress: Any = kinds.decompress
        try:
            return bytes(decompress(raw, compression))
        except Exception as exc:  # each kind of compression has errors of its own
            raise ValueError("the body cannot be unpacked") from exc
    return raw


def spellings(name: str) -> set[bytes]:
    """Return how a name may stand in a body."""
    return {name.encode(), json.dumps(name)[1:-1].encode()}
