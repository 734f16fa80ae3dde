"""How does a snapshot look on the wire?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.snapshots import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A snapshot as bytes; the tag also changes when only a definition did."""

    version: int
    etag: str
    body: bytes


def encoded_snapshot(services: Services, environment: str) -> Encoded:
    """Return the environment's present snapshot.

    Raises:
        UsageError: the project has no such environment.
    """
    found = services.ask(lambda unit: snapshot(unit, environment), ENGINE)
    text = json.dumps(found.to_json(), ensure_ascii=False, separators=(",", ":"))
    body = text.encode()
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Encoded(version=found.version, etag=f'"{found.version}-{digest}"', body=body)
