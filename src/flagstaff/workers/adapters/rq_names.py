"""Which name is in the data of a job of RQ, and how does it read with another one?

A job's data is pickled or JSON, packed or not. Nothing that is pickled is brought to life here: a
name is read and replaced in the text of the pickle.
"""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import struct
import zlib
from typing import Any, Self

SHORT, LONG = "SHORT_BINUNICODE", "BINUNICODE"
MEMO = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
RECALL = {"GET", "BINGET", "LONG_BINGET"}
SHORTEST = 256


def renamed(data: bytes, new: str) -> bytes | None:
    """Return a job's data with another name in it; nothing where that is not surely all."""
    raw, packed = _unpacked(data)
    try:
        made = _in_json(raw, new) if raw[:1] == b"[" else _in_pickle(raw, new)
    except (ValueError, IndexError, StopIteration):
        return None
    if made is None:
        return None
    made = zlib.compress(made) if packed else made
    return made if name_in(made) == new else None


def _in_json(raw: bytes, new: str) -> bytes:
    _, *more = json.loads(raw)
    return json.dumps([new, *more]).encode()


def _in_pickle(raw: bytes, new: str) -> bytes | None:
    """Replace the first text of a pickle: the first of the four things that a job is."""
    steps = [(code.name, value, at or 0) for code, value, at in pickletools.genops(raw)]
    first = next(number for number, step in enumerate(steps) if step[0] not in {"PROTO", "FRAME"})
    if steps[first][0] != "MARK" or steps[first + 1][0] not in {SHORT, LONG}:
        return None
    start, end = steps[first + 1][2], steps[first + 2][2]
    remembered, place, _ = steps[first + 2]
    slot = 0 if remembered == "MEMOIZE" else place
    if remembered in MEMO and any(name in RECALL and value == slot for name, value, _ in steps):
        return None  # an argument is the very same text, and would change with it
    text = new.encode()
    if steps[first + 1][0] == SHORT and len(text) < SHORTEST:
        name = b"\x8c" + bytes([len(text)]) + text
    else:
        name = b"X" + struct.pack("<I", len(text)) + text
    made = raw[:start] + name + raw[end:]
    for kind, length, at in steps[:first]:
        if kind == "FRAME" and isinstance(length, int):
            longer = struct.pack("<Q", length + len(made) - len(raw))
            made = made[: at + 1] + longer + made[at + 9 :]
    return made


def _unpacked(data: bytes) -> tuple[bytes, bool]:
    try:
        return zlib.decompress(data), True
    except zlib.error:  # it need not be packed
        return data, False


def name_in(data: bytes | None) -> str | None:
    """Return the name in a job's data: pickled or JSON, packed or not; nothing if it has none."""
    raw, _ = _unpacked(data or b"")
    try:
        found = json.loads(raw)
    except ValueError:
        try:
            found = _Harmless(io.BytesIO(raw)).load()
        except Exception:  # noqa: BLE001 whatever is wrong with it, it cannot be read
            return None
    name = found[0] if isinstance(found, tuple | list) and found else None
    return name if isinstance(name, str) else None


class _Inert:
    """Stands for anything that a pickle wants to make."""

    def __new__(cls, *_: object, **__: object) -> Self:
        return object.__new__(cls)

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __setstate__(self, state: object) -> None:
        del state

    def __setitem__(self, key: object, value: object) -> None:
        del key, value

    def append(self, value: object) -> None:
        """Take it, as a kind of list would."""

    extend = add = append


class _Harmless(pickle.Unpickler):
    """Reads texts and numbers, and makes nothing of what else a pickle names."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Return what does nothing."""
        del module, name
        return _Inert
