"""How does a snapshot look on the wire?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response

from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.snapshots import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A snapshot as bytes; the tag also changes when only a definition did."""

    version: int
    etag: str
    body: bytes

    @classmethod
    def of(cls, version: int, body: bytes) -> Encoded:
        """Return the snapshot under the tag that the same bytes have everywhere."""
        digest = hashlib.sha256(body).hexdigest()[:16]
        return cls(version=version, etag=f'"{version}-{digest}"', body=body)

    def answer(self, headers: Headers) -> Response:
        """Return the answer to a request for it: "not modified" to whoever still has it."""
        shown = {"etag": self.etag, "cache-control": "no-cache"}
        known = [tag.strip() for tag in headers.get("if-none-match", "").split(",")]
        if self.etag in known:
            return Response(status_code=304, headers=shown)
        return Response(self.body, media_type="application/json", headers=shown)


def encoded_snapshot(services: Services, environment: str) -> Encoded:
    """Return the environment's present snapshot.

    Raises:
        UsageError: the project has no such environment.
    """
    found = services.ask(lambda unit: snapshot(unit, environment), ENGINE)
    text = json.dumps(found.to_json(), ensure_ascii=False, separators=(",", ":"))
    return Encoded.of(found.version, text.encode())
