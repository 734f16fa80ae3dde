"""Which hash does each system pick actors by?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flagstaff.flags.murmur import murmur3 as slow_murmur3

_FNV_START, _FNV_PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_SHA_SCALE = 0xFFFFFFFFFFFFFFF


def _quickest_murmur3() -> Callable[[bytes], int]:
    try:
        from mmh3 import hash as quick  # noqa: PLC0415 an extra that not everybody has
    except ModuleNotFoundError:
        return slow_murmur3
    return lambda data: quick(data, 0, signed=False)


murmur3 = _quickest_murmur3()
"""Unleash's: 32 bits, seed 0, unsigned."""


def launchdarkly(prefix: str, value: str) -> float:
    """Return where a value falls, from 0 to 1: the first 60 bits of a SHA-1.

    `prefix` is the flag's key and its salt with a point between, or the seed of an experiment.
    """
    digest = hashlib.sha1(f"{prefix}.{value}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:15], 16) / _SHA_SCALE


def growthbook(seed: str, value: str, version: int) -> float | None:
    """Return where a value falls, from 0 up to 1; None if there is no such version."""
    if version == 1:
        return fnv1a(value + seed) % 1_000 / 1_000
    if version == 2:  # noqa: PLR2004 - the other one
        return fnv1a(str(fnv1a(seed + value))) % 10_000 / 10_000
    return None


def fnv1a(text: str) -> int:
    """Return the 32-bit FNV-1a hash over units of UTF-16, as JavaScript sees them."""
    state = _FNV_START
    data = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(data[::2], data[1::2], strict=True):
        state = (state ^ (low | high << 8)) * _FNV_PRIME & _MASK
    return state
