"""Which implementation of MurmurHash3 is the quickest one installed?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from flagstaff.flags.murmur import murmur3


def quickest_murmur3() -> Callable[[bytes], int]:
    """Return what hashes with `mmh3`, loaded when used, or with our own if it is not installed."""
    return _first_call if find_spec("mmh3") else murmur3


def _first_call(data: bytes) -> int:
    return _loaded()(data)


def _loaded() -> Callable[[bytes], int]:
    if not _kept:
        _kept.append(partial(import_module("mmh3").hash, seed=0, signed=False))
    return _kept[0]


_kept: list[Callable[[bytes], int]] = []
