"""How are flags read from a repository's own YAML files, without any server?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flagstaff.errors import FlagstaffError, SnapshotError
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot, parse_json
from flagstaff.flags.wire import read_object
from flagstaff.sdk.background import Background, Stop
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.readiness import Mode

Stamp = tuple[tuple[str, int, int], ...]


class FilesSource:
    """The definitions in a folder, and optionally a file that sets some of them.

    The state file is a JSON object of names, each with true, false, null (not set) or gates as in
    a snapshot: `{"new_search": true, "export": {"percentage_of_actors": "25"}}`.
    """

    def __init__(self, folder: Path, state: Path | None, interval: float) -> None:
        self._folder, self._state, self._interval = folder, state, interval
        self._version = 0
        self._seen: Stamp = ()
        self._holder: Holder | None = None
        self._background = Background("files", self._run)

    def __repr__(self) -> str:
        return f"files {self._folder}" + (f" < {self._state}" if self._state else "")

    def start(self, holder: Holder) -> None:
        """Read everything, and look for changes from now on.

        Raises:
            DefinitionError: a definition says something it must not.
            SnapshotError: the state file is malformed.
        """
        self._holder = holder
        self._seen = self._stamp()
        self._load(holder)
        if self._interval > 0:
            self._background.start()

    def after_fork(self) -> None:
        """Look for changes in the child too."""
        self._background.after_fork()

    def close(self, timeout: float) -> None:
        """Look for changes no more."""
        self._background.stop(timeout)

    def _run(self, stop: Stop) -> None:
        while not stop.wait(self._interval):
            self._refresh()

    def _refresh(self) -> None:
        stamp, holder = self._stamp(), self._holder
        if stamp == self._seen or holder is None:
            return
        self._seen = stamp
        try:
            self._load(holder)
        except FlagstaffError as exc:
            holder.report(Mode.FIXED, f"the flags as they were stay in force: {exc.message}")
        except OSError:
            # A file that is being replaced just now is read at the next look.
            self._seen = ()

    def _load(self, holder: Holder) -> None:
        from flagstaff.definitions import load_definitions  # noqa: PLC0415 - brings PyYAML
        from flagstaff.definitions.state import flag_of  # noqa: PLC0415 - as above

        definitions = load_definitions(self._folder)
        states = self._states()
        if unknown := sorted(states.keys() - definitions.keys()):
            raise SnapshotError(
                f"{self._state}: {unknown[0]!r} has no definition in {self._folder}",
                hint="add the definition, or take the name out of the state file",
            )
        flags = {
            name: flag_of(name, definition, states.get(name))
            for name, definition in definitions.items()
        }
        self._version += 1
        environment = holder.snapshot.environment
        holder.replace(Snapshot(environment=environment, version=self._version, flags=flags))
        there = self._folder.is_dir()
        holder.report(Mode.FIXED, "" if there else f"no folder {self._folder.absolute()}")

    def _states(self) -> dict[str, Gates | None]:
        if self._state is None or not self._state.exists():
            return {}
        try:
            listed = read_object(parse_json(self._state.read_bytes()), "state")
            return {name: _gates(found) for name, found in listed.items()}
        except SnapshotError as exc:
            raise SnapshotError(f"{self._state}: {exc.message}", hint=exc.hint) from exc

    def _stamp(self) -> Stamp:
        there = (str(self._folder), int(self._folder.is_dir()), 0)
        files = _stamps([*_yaml(self._folder), *filter(None, [self._state])])
        return (there, *sorted(files))


def _gates(found: object) -> Gates | None:
    if isinstance(found, bool):
        return Gates(boolean=found)
    return None if found is None else Gates.from_json(found)


def _yaml(folder: Path) -> Iterator[Path]:
    for suffix in ("*.yml", "*.yaml"):
        yield from folder.rglob(suffix)


def _stamps(paths: list[Path]) -> Iterator[tuple[str, int, int]]:
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        yield (str(path), found.st_mtime_ns, found.st_size)
