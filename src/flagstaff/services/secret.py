"""How is a secret made, and what is kept of it?

A secret has 256 random bits, so nobody guesses it from its hash and a plain SHA-256 is enough.
"""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32
PREFIX = "fst_"
"""Begins every token, so that scanners for leaked secrets can know one."""

NUMBER = 12
"""Digits of the hash that people see as the token's number."""


def new_secret(prefix: str = "") -> str:
    """Return a new secret."""
    return prefix + secrets.token_urlsafe(BYTES)


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
