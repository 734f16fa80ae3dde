"""Into which hundredth does an actor fall for a flag that came from Unleash?

Teams that move keep everybody's answer: the flag says `bucketing: murmur3`.
"""

from __future__ import annotations

from collections.abc import Callable

_MASK = 0xFFFFFFFF


def murmur3(data: bytes) -> int:
    """Return the 32-bit MurmurHash3 of `data` with seed 0, unsigned.

    >>> murmur3(b"hello")
    613153351
    """
    whole = len(data) & ~3
    state = 0
    for start in range(0, whole, 4):
        state ^= _mixed(int.from_bytes(data[start : start + 4], "little"))
        state = _rotated(state, 13) * 5 + 0xE6546B64 & _MASK
    if rest := data[whole:]:
        state ^= _mixed(int.from_bytes(rest, "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


def normalized(flag: str, identity: str, hashing: Callable[[bytes], int] = murmur3) -> int:
    """Return the hundredth of `identity` for `flag`, 1 to 100.

    A rollout of n per cent is open for the hundredths up to n; `identity` is what Unleash was
    given as the stickiness, and `flag` its group id.
    """
    return hashing(f"{flag}:{identity}".encode()) % 100 + 1


def _mixed(block: int) -> int:
    return _rotated(block * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK
