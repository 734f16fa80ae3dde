"""How do tests, users' and ours, choose what flags answer?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flagstaff.flags.flag import Flag
from flagstaff.sdk.client import Client
from flagstaff.sdk.overriding import override_flag
from flagstaff.sdk.sources.base import Source
from flagstaff.sdk.sources.memory import MemorySource, Spec, as_flag

__all__ = ["MemorySource", "Spec", "as_flag", "override_flag", "source_contract"]


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
