"""Which system wrote an export?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from flagstaff.errors import UsageError
from flagstaff.importers.flipper import looks_like_flipper, read_flipper
from flagstaff.importers.growthbook import looks_like_growthbook, read_growthbook
from flagstaff.importers.launchdarkly import looks_like_launchdarkly, read_launchdarkly
from flagstaff.importers.model import Export
from flagstaff.importers.reading import At, parse_json
from flagstaff.importers.settling import settled
from flagstaff.importers.unleash import looks_like_unleash, read_unleash
from flagstaff.importers.waffle import looks_like_waffle, read_waffle


class Format(NamedTuple):
    """How the export of one system is recognised and read."""

    looks_like: Callable[[At], bool]
    read: Callable[[At], Export]


FORMATS: Final = {
    "unleash": Format(looks_like_unleash, read_unleash),
    "flipper": Format(looks_like_flipper, read_flipper),
    "waffle": Format(looks_like_waffle, read_waffle),
    "launchdarkly": Format(looks_like_launchdarkly, read_launchdarkly),
    "growthbook": Format(looks_like_growthbook, read_growthbook),
}


def read_export(data: bytes, *, source: str, system: str = "") -> Export:
    """Return what an export says.

    Args:
        data: the file.
        source: its name, for messages.
        system: which system wrote it; found out if it is empty.

    Raises:
        UsageError: it is malformed, or nobody knows which system wrote it.
    """
    document = parse_json(data, source=source)
    if not system:
        found = [name for name, each in FORMATS.items() if each.looks_like(document)]
        if len(found) != 1:
            raise UsageError(
                f"{source} looks like an export of "
                + (" and of ".join(found) if found else "no system that is known"),
                hint=f"name the system: --from {'|'.join(FORMATS)}",
            )
        system = found[0]
    try:
        return settled(FORMATS[system].read(document))
    except UsageError as exc:
        raise UsageError(f"{source}: {exc.message}", hint=exc.hint) from exc
    except RecursionError as exc:
        raise UsageError(
            f"{source}: it is nested too deeply", hint="export it again; nothing was changed"
        ) from exc
