"""How do a snapshot, and what changed since an older one, look on the wire?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

from flagstaff.flags.snapshot import DRAWN, IN_ROLLOUT, Snapshot
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.snapshots import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A snapshot as bytes; the tag also changes when only a definition did.

    `flags` are the texts of the flags by name; without them, no change can be told from it.
    `in_rollout` is the text of the list of those in a rollout, `drawn` that of their draws.
    """

    version: int
    etag: str
    body: bytes
    flags: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    in_rollout: str = "[]"
    drawn: str = "{}"

    @classmethod
    def of(cls, version: int, body: bytes) -> Encoded:
        """Return the snapshot under the tag that the same bytes have everywhere.

        Args:
            version: of the snapshot.
            body: all of it; each flag is looked up there.
        """
        flags, in_rollout, drawn = _parts_of(body)
        return cls(
            version=version,
            etag=_tag(version, body),
            body=body,
            flags=flags,
            in_rollout=in_rollout,
            drawn=drawn,
        )

    def answer(self, headers: Headers) -> Response:
        """Return the answer to a request for it: "not modified" to whoever still has it."""
        shown = {"etag": self.etag, "cache-control": "no-cache"}
        known = [tag.strip() for tag in headers.get("if-none-match", "").split(",")]
        if self.etag in known:
            return Response(status_code=304, headers=shown)
        return Response(self.body, media_type="application/json", headers=shown)

    def change_since(self, before: Encoded) -> bytes:
        """Return what `Snapshot.changed_by` makes this snapshot of `before` with.

        Empty when the whole snapshot is to be sent instead: it is no longer than the change, or a
        reader of changes would not take this one for newer.
        """
        if self.version <= before.version or not self.flags or not before.flags:
            return b""
        told = {name: text for name, text in self.flags.items() if before.flags.get(name) != text}
        told |= dict.fromkeys(before.flags.keys() - self.flags.keys(), "null")
        more = ""
        if self.in_rollout != before.in_rollout:
            more += f'"{IN_ROLLOUT}":{self.in_rollout},'
        if self.drawn != before.drawn:
            more += f'"{DRAWN}":{self.drawn},'
        change = '{"base":%d,"version":%d,%s"flags":%s}'
        found = (change % (before.version, self.version, more, _object(told))).encode()
        return found if len(found) < len(self.body) else b""


def encoded(found: Snapshot) -> Encoded:
    """Return a snapshot as bytes."""
    written = found.to_json()
    flags: dict[str, Any] = written.pop("flags")  # type: ignore[assignment]
    texts = {name: _text(flag) for name, flag in flags.items()}
    body = f'{_text(written)[:-1]},"flags":{_object(texts)}}}'.encode()
    return Encoded(
        version=found.version,
        etag=_tag(found.version, body),
        body=body,
        flags=texts,
        in_rollout=_text(written.get(IN_ROLLOUT, [])),
        drawn=_text(written.get(DRAWN, {})),
    )


def encoded_snapshot(services: Services, environment: str) -> Encoded:
    """Return the environment's present snapshot.

    Raises:
        UsageError: the project has no such environment.
    """
    return encoded(services.ask(lambda unit: snapshot(unit, environment), ENGINE))


def _tag(version: int, body: bytes) -> str:
    return f'"{version}-{hashlib.sha256(body).hexdigest()[:16]}"'


def _parts_of(body: bytes) -> tuple[dict[str, str], str, str]:
    """Return the texts of the flags, of the list of those in a rollout, and of their draws."""
    try:
        found = json.loads(body)
        flags = {name: _text(flag) for name, flag in found["flags"].items()}
        return flags, _text(found.get(IN_ROLLOUT, [])), _text(found.get(DRAWN, {}))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}, "[]", "{}"  # whoever reads it says what is wrong with it


def _object(texts: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{_text(name)}:{text}" for name, text in texts.items()) + "}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
