"""Into which of the 100,000 buckets does an actor fall?

The mapping is Flipper's, bit for bit, and never changes: another one would move every actor of
every running rollout at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from zlib import crc32


class Bucketing(StrEnum):
    """How a flag's percentage of actors picks them.

    `crc32` is Flipper's way and the usual one; `murmur3` is Unleash's, in whole hundredths; `flagd`
    is that of flagd's `fractional`.
    """

    CRC32 = "crc32"
    MURMUR3 = "murmur3"
    FLAGD = "flagd"


BUCKETS = 100_000
"""A bucket is a thousandth of a percent. 2**32 is no multiple of it: the tiny bias is kept too."""


def seed(flag: str) -> int:
    """Return the checksum of the flag's name, from which the checksum of any id goes on."""
    return crc32(flag.encode())


def combined(ids: Iterable[str]) -> str:
    """Return the one id that several actors of one question form; their order does not matter."""
    return "".join(sorted(ids))


def bucket(flag: str, identity: str) -> int:
    """Return the bucket of `identity` for `flag`, 0 to 99,999.

    >>> bucket("some_feature", "User:1")
    9890
    """
    return crc32(identity.encode(), seed(flag)) % BUCKETS


def threshold(percentage: Decimal) -> int:
    """Return the number of buckets that `percentage` (0 to 100) opens, from bucket 0 on."""
    return int((percentage * 1000).to_integral_value(ROUND_CEILING))
