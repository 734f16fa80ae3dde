"""How is one flag answered otherwise for a while?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flagstaff.errors import UnknownFlag
from flagstaff.flags.flag import Flag
from flagstaff.sdk.client import Client
from flagstaff.sdk.forking import survivors
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.sources.memory import Spec, as_flag


def open_clients() -> list[Client]:
    """Return every client of the process."""
    return [each for each in survivors() if isinstance(each, Client)]


@contextmanager
def override_flag(
    name: str,
    spec: Spec = True,  # noqa: FBT002 - `override_flag("x", False)` reads as it is meant
    *,
    client: Client | None = None,
) -> Iterator[None]:
    """Answer for one flag as a test wants it, in a `with` block or a decorated function.

    Everything in the process sees it, in all threads. Overrides nest; the inner one answers.

    >>> flags = Client.memory({"new_search": False})
    >>> with override_flag("new_search", client=flags):
    ...     flags.is_enabled("new_search")
    True

    Args:
        name: of the flag.
        spec: True, False, None (not set: the default answers), `Decimal(25)` (per cent of
            actors), `Gates(…)` or a `Flag`.
        client: the one to change; otherwise every client of the process.

    Raises:
        UnknownFlag: no client has a definition of the flag, so the test would prove nothing.
        UsageError: `spec` is none of these.
    """
    clients = [client] if client else open_clients()
    holders = [each.holder for each in clients if _defined(each.holder, name)]
    if not holders:
        raise UnknownFlag(
            f"no client has a definition of the flag {name!r}",
            hint="define it, correct the name, or make the client before the override",
        )
    before = [(holder, holder.overrides) for holder in holders]
    for holder in holders:
        holder.override({**holder.overrides, name: _shaped(holder, name, spec)})
    try:
        yield
    finally:
        for holder, overrides in before:
            holder.override(overrides)


def _defined(holder: Holder, name: str) -> bool:
    return name in holder.snapshot.flags


def _shaped(holder: Holder, name: str, spec: Spec) -> Flag:
    """Return the flag with the type and default of its definition, unless the test gives both."""
    if isinstance(spec, Flag):
        return as_flag(name, spec)
    defined = holder.snapshot.flags[name]
    made = as_flag(name, spec)
    return Flag(name=name, type=defined.type, default=defined.default, gates=made.gates)
