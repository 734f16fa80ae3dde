"""Into which part of a flag does an actor fall where clients of flagd evaluate it?

flagd hashes a value in the form in which CBOR (RFC 8949) writes it, and spreads the 32 bits evenly
over the sum of the weights. A flag that is to answer the same in its clients and in ours says
`bucketing: flagd`; `docs/decisions/0017-flagd-bucketing.md` has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable

from flagstaff.flags.bucketing import BUCKETS
from flagstaff.flags.murmur import murmur3

Hashing = Callable[[bytes], int]

HASHES = 2**32
_PAIR = b"\x82"
_TEXT = 0x60
_LENGTHS = ((1 << 8, 0x78, 1), (1 << 16, 0x79, 2), (1 << 32, 0x7A, 4))
_SHORT = 24


def flagd_bucket(flag: str, identity: str, hashing: Hashing = murmur3) -> int:
    """Return the bucket of `identity` for `flag`, 0 to 99,999, as flagd's short form counts.

    >>> flagd_bucket("some_feature", "User:1")
    96858
    """
    return hashing(_PAIR + _text(flag) + _text(identity)) * BUCKETS // HASHES


def text_hash(text: str, hashing: Hashing = murmur3) -> int:
    """Return the hash, 0 to 2**32 - 1, of a text that is bucketed by its own value."""
    return hashing(_text(text))


def _text(text: str) -> bytes:
    data = text.encode()
    length = len(data)
    if length < _SHORT:
        return bytes((_TEXT + length,)) + data
    head, size = next((head, size) for limit, head, size in _LENGTHS if length < limit)
    return bytes((head,)) + length.to_bytes(size, "big") + data
