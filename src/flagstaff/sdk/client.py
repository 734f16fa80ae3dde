"""How does an application ask for its flags?"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, Unpack

from flagstaff.errors import UsageError
from flagstaff.flags.compile import Compiled
from flagstaff.flags.evaluation import Evaluation
from flagstaff.flags.explain import evaluate, in_words
from flagstaff.flags.fast import Check
from flagstaff.flags.surroundings import Group, Surroundings
from flagstaff.sdk import options as opt
from flagstaff.sdk.asking import Asked, Samples
from flagstaff.sdk.exposures import Exposure, Exposures
from flagstaff.sdk.fallback import Fallback
from flagstaff.sdk.forking import survive
from flagstaff.sdk.handle import FlagHandle, make_handle
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.murmur import quickest_murmur3
from flagstaff.sdk.outcomes import OUTCOMES, Outcomes, note_asked, slow_kind
from flagstaff.sdk.readiness import Mode, Readiness
from flagstaff.sdk.sources.base import Source
from flagstaff.sdk.sources.files import FilesSource
from flagstaff.sdk.sources.memory import MemorySource, Spec
from flagstaff.sdk.sources.server import ServerSource
from flagstaff.sdk.telemetry import More, Telemetry
from flagstaff.sdk.uwsgi import warn_without_threads

CLOSE_TIMEOUT = 2.0
"""Seconds that `close` waits for the last report to be sent."""


class Reporter(Protocol):
    """Something that tells others what the client counted."""

    def start(self) -> None:
        """Begin."""

    def add(self, other: Callable[[], More]) -> None:
        """Report what `other` returns as well."""

    def after_fork(self) -> None:
        """Go on in a forked child."""

    def close(self, timeout: float) -> None:
        """Report what is left, within about `timeout` seconds."""


class Client:
    """Flags of one environment, asked in this process.

    Made by `from_files`, `connect` or `memory`. `is_enabled` and the handles of `flag` never
    raise, block or do any input or output; they are safe in threads, in asyncio and after a fork.
    """

    __slots__ = (
        "__weakref__",
        "_checks",
        "_exposures",
        "_fallback",
        "_groups",
        "_handles",
        "_holder",
        "_outcomes",
        "_reporter",
        "_samples",
        "_source",
    )

    def __init__(self, source: Source, *, environment: str, strict: str = "") -> None:
        if strict not in {"", "raise"}:
            raise UsageError(f"strict={strict!r} is not known", hint='write strict="raise"')
        self._checks: dict[str, Check] = {}
        self._exposures = Exposures()
        self._groups: dict[str, Group] = {}
        self._handles: dict[tuple[str, bool | None], FlagHandle] = {}
        self._outcomes = Outcomes()
        self._reporter: Reporter | None = None
        self._samples = Samples()
        self._source = source
        around = Surroundings(
            counter=self._exposures.counter,
            groups=self._groups,
            draw=random.random,
            murmur3=quickest_murmur3(),
            clock=lambda: datetime.now(UTC),
        )
        self._holder = Holder(environment, around)
        self._fallback = Fallback(self._holder, self._exposures, raises=strict == "raise")
        self._holder.listen(self._put)
        survive(self)

    @classmethod
    def from_files(
        cls,
        folder: str | os.PathLike[str],
        *,
        environment: str = "development",
        state: str | os.PathLike[str] | None = None,
        watch: float = 1.0,
        strict: str = "",
    ) -> Client:
        """Return a client of the YAML definitions in `folder`; no server is needed.

        Args:
            folder: `config/feature_flags` in most repositories.
            environment: what this process calls itself.
            state: a JSON file that sets flags, `{"new_search": true}`; `FLAGSTAFF_STATE` otherwise.
            watch: seconds between looks for changed files; 0 to read them once.
            strict: "raise" to raise `UnknownFlag` for a flag that has no definition.

        Raises:
            DefinitionError: a definition says something it must not.
            SnapshotError: the state file is malformed.
        """
        state = state or os.environ.get("FLAGSTAFF_STATE")
        source = FilesSource(Path(folder), Path(state) if state else None, watch)
        client = cls(source, environment=environment, strict=strict)
        source.start(client.holder)
        return client

    @classmethod
    def memory(
        cls,
        flags: Mapping[str, Spec] | MemorySource | None = None,
        *,
        environment: str = "test",
        strict: str = "",
    ) -> Client:
        """Return a client of flags given here, for tests and scripts.

        >>> Client.memory({"new_search": True}).is_enabled("new_search")
        True

        Raises:
            UsageError: a flag is given as something that is no flag.
        """
        source = (
            flags if isinstance(flags, MemorySource) else MemorySource(flags or {}, environment)
        )
        client = cls(source, environment=source.environment, strict=strict)
        source.start(client.holder)
        return client

    @classmethod
    def connect(
        cls,
        url: str | None = None,
        *,
        environment: str | None = None,
        application: str | None = None,
        **options: Unpack[opt.Options],
    ) -> Client:
        """Return a client that follows a server.

        What is not given is taken from `FLAGSTAFF_URL`, `FLAGSTAFF_ENVIRONMENT`,
        `FLAGSTAFF_APPLICATION`, `FLAGSTAFF_TOKEN_FILE`, `FLAGSTAFF_TOKEN`, `FLAGSTAFF_KIND`,
        `FLAGSTAFF_VERSION` and `FLAGSTAFF_CACHE_DIR`. A server that is away is no error: flags are
        answered from the snapshot on disk, or with their `default` until it is back.

        Args:
            url: of the server.
            environment: whose flags are asked, such as `production`.
            application: the name of this program in the server's list of processes.
            options: see `Options`.

        Raises:
            UsageError: there is no address or no environment, or the address is none.
        """
        where = opt.address(url, environment, options)
        source = ServerSource(where, opt.disk(where, options), options.get("poll_interval", 5.0))
        client = cls(source, environment=where.environment, strict=options.get("strict", ""))
        client._reporter = Telemetry(
            where,
            opt.identity(application, options),
            client._holder,
            client._exposures,
            client._look,
            options.get("flush_interval", 5.0),
            client._outcomes.totals,
        )
        warn_without_threads()
        source.start(client.holder)
        client._reporter.start()
        wait = options.get("wait", 5.0)
        source.wait(min(wait, 1.0) if client.holder.ready else wait)
        return client

    def __repr__(self) -> str:
        found = self.readiness()
        return (
            f"<flagstaff.Client {found.environment} version {found.version}, {found.mode}: "
            f"{self._source}>"
        )

    @property
    def holder(self) -> Holder:
        """Return what keeps the snapshot, for sources and tests of your own."""
        return self._holder

    def is_enabled(self, name: str, *actors: object, default: bool | None = None) -> bool:
        """Return whether a flag is on.

        Args:
            name: of the flag.
            actors: who is asked about: ids such as `"User:42"`, objects with a `flag_id` or
                `flipper_id`, or lists of them. Without any, only the boolean gate, the expression
                and the percentage of time can open the flag.
            default: the answer for a flag that nobody has defined, instead of False.
        """
        try:
            return self._checks[name](actors)
        except Exception as exc:  # noqa: BLE001 - an application must not fail over a flag
            return self._fallback.answer(name, exc, default=default)

    def is_disabled(self, name: str, *actors: object, default: bool | None = None) -> bool:
        """Return whether a flag is off; `default` is still the answer to "is it on?"."""
        return not self.is_enabled(name, *actors, default=default)

    def evaluate(self, name: str, *actors: object, default: bool | None = None) -> Evaluation:
        """Return whether a flag is on, and why; see `is_enabled` for the arguments."""
        compiled = self._holder.compiled
        try:
            answer = evaluate(compiled.flags[name], actors, compiled.snapshot.version)
        except Exception as exc:  # noqa: BLE001 - as in is_enabled
            return self._fallback.evaluation(name, exc, default=default)
        self._exposures.counter(name, answer.value, answer.gate)()
        self._samples.note(name, actors)
        mark = self._holder.crowds.noted(compiled.snapshot, name, actors, answer.gate)
        if name in self._holder.attended:
            note_asked(name, answer.value, mark)
        return answer

    def variant(self, name: str, *actors: object, default: str = "off") -> str:
        """Return the name of the variant these actors get, or `default` while the flag is off.

        A flag without variants that is on has the variant `on`.
        """
        answer = self.evaluate(name, *actors)
        return answer.variant if answer.value and answer.error is None else default

    def payload(self, name: str, *actors: object, default: object = None) -> object:
        """Return what that variant carries, or `default` while the flag is off.

        It is JSON as the server sent it, shared between all who ask: do not change it in place.
        """
        answer = self.evaluate(name, *actors)
        return answer.payload if answer.value and answer.error is None else default

    def explain(self, name: str, *actors: object) -> Evaluation:
        """Return what `evaluate` returns, with the reason and what would change it in `words`."""
        answer = self.evaluate(name, *actors)
        if answer.error is not None:
            return answer
        flag = self._holder.compiled.snapshot.flags[name]
        return replace(answer, words=in_words(flag, actors, answer.gate))

    def flag(self, name: str, *, default: bool | None = None) -> FlagHandle:
        """Return a function that answers for one flag; quicker still than `is_enabled`.

        >>> new_search = Client.memory({"new_search": True}).flag("new_search")
        >>> new_search("User:42")
        True
        """
        key = (name, default)
        if key not in self._handles:
            otherwise = partial(self._fallback.answer, name, default=default)
            handle, follow = make_handle(name, partial(self.evaluate, name), otherwise)
            self._holder.listen(follow)
            self._handles[key] = handle
        return self._handles[key]

    def register_group(self, name: str, belongs: Group) -> None:
        """Make `name` a group: `belongs(actor)` says whether an actor is in it, quickly."""
        self._groups[name] = belongs

    def outcome(self, name: str, variant: bool | str, ok: bool, *, actor: object = None) -> None:  # noqa: FBT001 - it is read out
        """Count that something went well, or did not, with a flag on or off; for guards.

        Args:
            name: of the flag.
            variant: the answer that was used: True or False, or a variant; `off` is the flag off.
            ok: whether it went well.
            actor: who was asked about, in this process, for guards that count actors; or a list.
        """
        on = variant if isinstance(variant, bool) else variant != "off"
        self.count_outcome(name, OUTCOMES, on=on, ok=ok, actor=actor)

    def count_outcome(
        self, name: str, kind: str, *, on: bool, ok: bool, actor: object = None
    ) -> None:
        """Count an outcome of another kind, as middleware does; see `outcome` for the actor."""
        self._outcomes.count(name, kind, on=on, ok=ok)
        self._holder.crowds.count(name, kind, actor, on=on, ok=ok)

    def count_duration(
        self,
        name: str,
        what: str,
        *,
        on: bool,
        seconds: float,
        bounds: Iterable[float],
        actor: object = None,
    ) -> None:
        """Count how long something took, as middleware does.

        Args:
            name: of the flag.
            what: `requests` or `jobs`.
            on: the answer that was used.
            seconds: how long it took.
            bounds: seconds above each of which it is slow.
            actor: see `outcome`.
        """
        for bound in bounds:
            kind, ok = slow_kind(what, bound), seconds <= bound
            self.count_outcome(name, kind, on=on, ok=ok, actor=actor)

    def in_rollout(self, name: str) -> bool:
        """Say whether the flag is in a rollout that is not over, as far as its source knows."""
        return name in self._holder.compiled.snapshot.in_rollout

    def report_also(self, other: Callable[[], More]) -> None:
        """Send what `other` returns, counted since the process began, with every report."""
        if self._reporter is not None:
            self._reporter.add(other)

    def attend(self, names: Iterable[str] | None = None) -> None:
        """Note for `asked_in_here` what these flags answer; all others are as quick as before.

        Left out, the flags in a rollout, as the server says which they are.
        """
        self._holder.attend(names)

    def flags(self) -> Mapping[str, str]:
        """Return the names of all flags that are defined, each with its type."""
        return {name: flag.type for name, flag in self._holder.compiled.snapshot.flags.items()}

    def readiness(self) -> Readiness:
        """Return how fresh the answers are, for health checks and people."""
        holder = self._holder
        snapshot = holder.compiled.snapshot
        return Readiness(
            ready=holder.ready,
            mode=holder.mode,
            environment=snapshot.environment,
            version=snapshot.version,
            flags=len(snapshot.flags),
            problem=holder.problem,
            unanswered=self._exposures.unanswered_counts(),
            dropped=self._exposures.dropped,
        )

    def totals(self) -> list[Exposure]:
        """Return how often each flag was answered in this process, by value and gate."""
        return self._exposures.totals()

    def close(self) -> None:
        """Follow no more and send the last counts; flags keep answering from the last snapshot."""
        if self._holder.mode is Mode.CLOSED:
            return
        self._source.close(CLOSE_TIMEOUT)
        if self._reporter is not None:
            self._reporter.close(CLOSE_TIMEOUT)
        self._holder.report(Mode.CLOSED, self._holder.problem)

    def _look(self) -> list[Asked]:
        """Return what was seen of the questions, and look at the next ones."""
        compiled = self._holder.compiled
        taken = self._samples.take(compiled.snapshot.flags)
        # Handles do not look into `checks`; a flag that has one is better not judged by halves.
        self._samples.look(compiled.checks, besides={name for name, _ in list(self._handles)})
        return taken

    def _put(self, compiled: Compiled) -> None:
        self._checks = compiled.checks

    def after_fork(self) -> None:
        """Go on in a forked child; called by the interpreter, not by applications."""
        self._holder.after_fork()
        self._exposures.after_fork()
        self._samples.after_fork()
        self._outcomes.after_fork()
        self._source.after_fork()
        if self._reporter is not None:
            self._reporter.after_fork()
