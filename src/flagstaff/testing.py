"""How do tests, users' and ours, choose what flags answer?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from flagstaff.errors import UnknownFlag
from flagstaff.flags.flag import Flag
from flagstaff.sdk.client import Client
from flagstaff.sdk.forking import survivors
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.sources.base import Source
from flagstaff.sdk.sources.memory import MemorySource, Spec, as_flag

__all__ = ["MemorySource", "Spec", "as_flag", "override_flag", "source_contract"]


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
    clients = [client] if client else [each for each in survivors() if isinstance(each, Client)]
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


def source_contract(
    make: Callable[[Mapping[str, Flag]], tuple[Source, Callable[[Mapping[str, Flag]], None]]],
    wait: Callable[[Callable[[], bool]], None],
) -> None:
    """Check that a source of your own does what clients rely on.

    Args:
        make: returns a source of these flags, of the environment `test`, and what changes them.
        wait: returns when its argument answers true, or fails.

    Raises:
        AssertionError: the source breaks the contract; the message says how.
    """
    off, on = as_flag("contract", False), as_flag("contract", True)
    source, change = make({"contract": off})
    client = Client(source, environment="test")
    source.start(client.holder)
    _expect(wait, client, ready=True, because="a started source puts a snapshot in force")
    _hold(client.is_disabled("contract"), "the first snapshot has the flag as it was given")
    first = client.readiness().version
    change({"contract": on})
    wait(lambda: client.is_enabled("contract"))
    _hold(client.readiness().version > first, "a change makes the version grow")
    source.after_fork()
    change({"contract": off})
    wait(lambda: client.is_disabled("contract"))
    change({})
    wait(lambda: "contract" not in client.flags())
    _hold(bool(repr(source)), "a source says what it is")
    client.close()
    client.close()
    _hold(client.readiness().ready, "a closed client answers from the last snapshot")


def _expect(
    wait: Callable[[Callable[[], bool]], None], client: Client, *, ready: bool, because: str
) -> None:
    wait(lambda: client.readiness().ready is ready)
    _hold(client.readiness().ready is ready, because)


def _hold(holds: bool, because: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise AssertionError(because)


def _defined(holder: Holder, name: str) -> bool:
    return name in holder.snapshot.flags


def _shaped(holder: Holder, name: str, spec: Spec) -> Flag:
    """Return the flag with the type and default of its definition, unless the test gives both."""
    if isinstance(spec, Flag):
        return as_flag(name, spec)
    defined = holder.snapshot.flags[name]
    made = as_flag(name, spec)
    return Flag(name=name, type=defined.type, default=defined.default, gates=made.gates)
