"""What does a kind of queue have to be able to do, so that its jobs can be renamed safely?"""

from __future__ import annotations

import time
from typing import Any, Protocol

from flagstaff.errors import Conflict
from flagstaff.sdk.client import Client
from flagstaff.workers.knowing import Knowledge
from flagstaff.workers.migrated import Outcome, Tell
from flagstaff.workers.migration import Migration
from flagstaff.workers.places import Place
from flagstaff.workers.rename import Flags, Rename, Variant
from flagstaff.workers.verdicts import Deferral

HEADER = "flagstaff"
"""What travels with a job: `{"flag", "variant", "at"}`; who has it is not asked about again."""


def silent(place: str, read: int, length: int) -> None:
    """Hear how far a migration is, and tell nobody."""


def surely(known: Knowledge) -> None:
    """Make sure that workers run what gets the new name.

    Raises:
        Conflict: they do not know it.
    """
    if known.problems:
        raise Conflict(
            f"{known.name} would not be run: {'; '.join(known.problems)}",
            hint="deploy workers that know it, or give force=True",
        )


class Adapter(Protocol):
    """One kind of queue.

    How to write one: docs/howto/write-an-adapter.md. What each has to keep is in
    `tests/integration/workers/adapters`.
    """

    def declare(self, rename: Rename, flags: Flags) -> None:
        """Give a job both names in this process, and let the flag decide what is published.

        Each way of publishing is covered. A job that has been decided about keeps its name when it
        is tried again, is due, or is moved on by a worker.
        """
        ...

    def known(self, name: str, queue: str = "", expected: int = 0) -> Knowledge:
        """Ask who knows a name; whoever does not answer must be a problem, never nobody."""
        ...

    def scan(self, name: str) -> list[Place]:
        """Look into every place once; what cannot be looked into is *unknown*, never empty."""
        ...

    def migrate(
        self,
        migration: Migration,
        *,
        workers: int = 0,
        force: bool = False,
        dry: bool = False,
        tell: Tell = silent,
    ) -> Outcome:
        """Rename and move what waits, wherever it does; killed anywhere, it loses and doubles none.

        Args:
            migration: what is wanted.
            workers: the least number of those that have to know the new name.
            force: even where one does not, and would not run what is renamed.
            dry: only count.
            tell: hears how far it is.

        Raises:
            Conflict: a worker does not know the new name, or nobody takes jobs from its queue.
        """
        ...

    def switch(self, client: Client, deferral: Deferral | None = None) -> None:
        """Put off and drop jobs in workers of this process, as switches say that `client` hears of.

        What is put off keeps its name, and is published again before it is acknowledged.
        """
        ...


def header(rename: Rename, variant: Variant) -> dict[str, Any]:
    """Return what travels with a job that has been decided about."""
    return {"flag": rename.flag, "variant": variant.value, "at": time.time()}


class Renames:
    """The renames that were declared, by both of their names."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Rename, Flags]] = {}

    def add(self, rename: Rename, flags: Flags) -> None:
        """Remember a rename."""
        self._known |= {rename.old: (rename, flags), rename.new: (rename, flags)}

    def find(self, name: str) -> tuple[Rename, Flags] | None:
        """Return the rename that a name is part of."""
        return self._known.get(name)

    def names(self) -> list[str]:
        """Return every name."""
        return sorted(self._known)

    def wanted(self, name: str, job: str, args: Any, kwargs: Any) -> tuple[Rename, Variant] | None:
        """Return which side a job is to be published on; nothing if its name is in no rename."""
        found = self.find(name)
        if found is None:
            return None
        rename, flags = found
        return rename, rename.wanted(flags, job, args, kwargs)

    def ahead(self, name: str, job: str) -> tuple[Rename, Variant] | None:
        """Return which side a job travels on that follows another; its own publisher asks again."""
        found = self.find(name)
        if found is None:
            return None
        rename, flags = found
        return rename, rename.ahead(flags, job)
