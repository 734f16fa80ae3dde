"""How is a password kept and compared? By argon2id, as RFC 9106 has it for little memory."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from flagstaff.errors import UsageError

SHORTEST = 12
LONGEST = 500

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOBODY = _hasher.hash("nobody has this password")
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each takes 64 MiB and as good as a whole core, so strangers may not start many."""


def hash_password(password: str) -> str:
    """Return what is kept of a new password.

    Raises:
        UsageError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(
            f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}",
            hint="a sentence is easy to remember and hard to guess",
        )
    with _AT_ONCE:
        return _hasher.hash(password)


def is_password(password: str, kept: str) -> bool:
    """Return whether the password is the one kept; it takes as long where there is none."""
    if len(password) > LONGEST:
        return False
    try:
        with _AT_ONCE:
            _hasher.verify(kept or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)
