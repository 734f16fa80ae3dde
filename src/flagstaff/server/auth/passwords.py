"""How is a password kept and compared? By argon2id, as RFC 9106 has it for little memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from flagstaff.errors import Throttled, UsageError

SHORTEST = 12
LONGEST = 500

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Written down, for it takes as long as a password to make, and every process begins with it.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "T1Jmj8ba0lMNnCz/fgGppA$AFfsICvxL+Av7NCU8NGR46oosNV9BKFj3sw1kLbukNE"
)
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each takes 64 MiB and as good as a whole core, so strangers may not start many."""

_IN_LINE = threading.BoundedSemaphore(10)
"""Whoever waits holds a thread that others need, so strangers may not let many wait either."""


def hash_password(password: str) -> str:
    """Return what is kept of a new password.

    Raises:
        UsageError: it is too short or too long.
        Throttled: too many are being compared.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(
            f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}",
            hint="a sentence is easy to remember and hard to guess",
        )
    with _turn():
        return _hasher.hash(password)


def is_password(password: str, kept: str) -> bool:
    """Return whether the password is the one kept; it takes as long where there is none.

    Raises:
        Throttled: too many are being compared.
    """
    if len(password) > LONGEST:
        return False
    try:
        with _turn():
            _hasher.verify(kept or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


@contextmanager
def _turn() -> Iterator[None]:
    if not _IN_LINE.acquire(blocking=False):
        raise Throttled("too many sign in at this moment", hint="try again in a few seconds")
    try:
        with _AT_ONCE:
            yield
    finally:
        _IN_LINE.release()
