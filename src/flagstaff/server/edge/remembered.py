"""Which tokens has the control plane accepted lately, and how does an edge know after a restart?

The file holds keyed hashes, never a token; its key is in a file of its own beside it.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

KEY = "key"
FILE = "tokens.json"
MOST = 10_000
LONGEST = 7 * 86_400.0
"""Seconds after which a token that the control plane did not see is forgotten at the next start."""

WORTH_WRITING = 3_600.0
"""Seconds by which the file may lag behind about when a token was accepted last."""


@dataclass(slots=True)
class Accepted:
    """What a token may read, and when the control plane said so, in seconds since 1970."""

    environments: frozenset[str]
    at: float


class Remembered:
    """The tokens that were accepted, by hash; those not shown for longest make room.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._key = _key(folder / KEY)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._written: dict[str, float] = {}
        self._tokens: OrderedDict[str, Accepted] = OrderedDict()
        self._read()

    def hashed(self, token: str) -> str:
        """Return what stands for a token."""
        return hmac.new(self._key, token.encode("utf-8", "replace"), "sha256").hexdigest()

    def get(self, key: str) -> Accepted | None:
        """Return what is known of an accepted token."""
        with self._lock:
            found = self._tokens.get(key)
            if found is not None:
                self._tokens.move_to_end(key)
            return found

    def accept(self, key: str, environments: Iterable[str]) -> None:
        """Note that the control plane accepts a token, and keep that."""
        now, names = time.time(), frozenset(environments)
        with self._lock:
            before = self._tokens.get(key)
            self._tokens[key] = Accepted(names, now)
            self._tokens.move_to_end(key)
            while len(self._tokens) > MOST:
                self._tokens.popitem(last=False)
            known = before is not None and before.environments == names
            worth_it = not known or now - self._written.get(key, 0.0) > WORTH_WRITING
        if worth_it:
            self._write()

    def refuse(self, key: str) -> None:
        """Forget a token that the control plane does not accept any more."""
        with self._lock:
            gone = self._tokens.pop(key, None)
        if gone is not None:
            self._write()

    def _read(self) -> None:
        try:
            found = json.loads(self._file.read_text())
            for key, (environments, at) in found.items():
                if time.time() - float(at) < LONGEST:
                    names = frozenset(str(each) for each in environments)
                    self._tokens[str(key)] = Accepted(names, float(at))
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError) as exc:
            log.warning("%s cannot be read, so tokens have to be asked for: %s", self._file, exc)

    def _write(self) -> None:
        with self._writing:
            with self._lock:
                found = {
                    key: [sorted(each.environments), each.at] for key, each in self._tokens.items()
                }
            try:
                _replace(self._file, json.dumps(found))
            except OSError as exc:
                log.warning("%s cannot be written: %s", self._file, exc)
                return
            self._written = {key: each[1] for key, each in found.items()}  # type: ignore[misc]


def _key(path: Path) -> bytes:
    with suppress(OSError, ValueError):
        kept = bytes.fromhex(path.read_text().strip())
        if len(kept) == 32:  # noqa: PLR2004 bytes of SHA-256
            return kept
    made = secrets.token_bytes(32)
    _replace(path, made.hex())
    return made


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(name).replace(path)
