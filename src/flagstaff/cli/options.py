"""Which options may stand anywhere on the command line?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flagstaff.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every command understands."""

    json: bool = False
    yes: bool = False
    dry_run: bool = False
    server: str = ""


def take_common(words: Sequence[str]) -> tuple[Common, list[str]]:
    """Return the common options and the other words; after `--` nothing is an option.

    Raises:
        UsageError: `--server` has no address behind it.
    """
    common, rest = Common(), []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        if word == "--json":
            common = replace(common, json=True)
        elif word == "--yes":
            common = replace(common, yes=True)
        elif word == "--dry-run":
            common = replace(common, dry_run=True)
        elif word == "--server" or word.startswith("--server="):
            value = word.partition("=")[2] or (waiting.pop(0) if waiting else "")
            if not value:
                raise UsageError(
                    "`--server` needs an address", hint="for example --server http://127.0.0.1:8080"
                )
            common = replace(common, server=value)
        else:
            rest.append(word)
    return common, rest
