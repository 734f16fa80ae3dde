"""Which environment of ours is which of theirs?"""

from __future__ import annotations

from collections.abc import Sequence

from flagstaff.errors import UsageError
from flagstaff.importers.model import Export

_USUAL = {"development": "dev", "prod": "production", "stage": "staging", "stg": "staging"}


def map_environments(export: Export, ours: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Return the environment there by ours, in our order.

    Args:
        export: what the file says.
        ours: the project's environments.
        given: `theirs=ours`, or `ours` alone where both have one name or the file names none.

    Raises:
        UsageError: one does not exist, or none can be guessed.
    """
    pairs = [_pair(each, export, ours) for each in given] or _guessed(export, ours)
    if not pairs:
        raise UsageError(
            _unnamed(export), hint=f"name yours: --environment {_example(export, ours)}"
        )
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UsageError(
            "an environment of yours is named twice", hint="each can be only one of theirs"
        )
    return {name: found[name] for name in ours if name in found}


def _pair(given: str, export: Export, ours: Sequence[str]) -> tuple[str, str]:
    theirs, _, name = given.rpartition("=")
    if not theirs:
        theirs = "" if export.environments == ("",) else name
    elif export.environments == ("",):
        theirs = ""  # the file does not say which it is, so any name is right
    if theirs not in export.environments:
        raise UsageError(
            f"the export has no environment {theirs!r}",
            hint=f"it has {', '.join(export.environments) or 'none'}",
        )
    if name not in ours:
        raise UsageError(
            f"there is no environment {name!r} here", hint=f"this project has {', '.join(ours)}"
        )
    return name, theirs


def _guessed(export: Export, ours: Sequence[str]) -> list[tuple[str, str]]:
    named = [(each if each in ours else _USUAL.get(each, ""), each) for each in export.environments]
    found: dict[str, str] = {}
    for name, theirs in named:
        if name in ours:
            found.setdefault(name, theirs)
    return list(found.items())


def _unnamed(export: Export) -> str:
    if export.environments == ("",):
        return "the export does not say of which environment it is"
    listed = ", ".join(export.environments) or "none"
    return f"the export's environments have other names than yours: {listed}"


def _example(export: Export, ours: Sequence[str]) -> str:
    last = ours[-1] if ours else "production"
    if export.environments in {("",), ()}:
        return last
    return f"{export.environments[0]}={last}"
