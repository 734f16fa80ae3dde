"""Which options may stand anywhere on the command line?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flagstaff.errors import UsageError

NEEDS_ADDRESS = "`--server` needs an address"
FOR_EXAMPLE = "for example --server http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every command understands."""

    json: bool = False
    yes: bool = False
    dry_run: bool = False
    server: str = ""

    def no_dry_run(self, place: str) -> None:
        """Refuse `--dry-run` where nothing could be tried without being done.

        Raises:
            UsageError: it was given.
        """
        if self.dry_run:
            raise UsageError(f"`{place}` cannot be a dry run", hint="leave `--dry-run` out")


def take_common(words: Sequence[str]) -> tuple[Common, list[str]]:
    """Return the common options and the other words; after `--` nothing is an option.

    Raises:
        UsageError: `--server` has no address behind it.
    """
    common, rest = Common(), []
    waiting = iter(words)
    for word in waiting:
        match word:
            case "--":
                rest += [word, *waiting]
            case "--json":
                common = replace(common, json=True)
            case "--yes":
                common = replace(common, yes=True)
            case "--dry-run":
                common = replace(common, dry_run=True)
            case "--server":
                common = replace(common, server=_address(next(waiting, "")))
            case _ if word.startswith("--server="):
                common = replace(common, server=_address(word.partition("=")[2]))
            case _:
                rest.append(word)
    return common, rest


def _address(word: str) -> str:
    if not word or word.startswith("-"):
        raise UsageError(NEEDS_ADDRESS, hint=FOR_EXAMPLE)
    return word
