"""How is an export read, compared, told about and carried out?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from flagstaff.cli import output
from flagstaff.cli.import_files import File, Files, files_for, write
from flagstaff.cli.import_plan import Place, plan
from flagstaff.cli.import_report import Report
from flagstaff.cli.options import Common
from flagstaff.commands.model import ImportFlags
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.remote import Server
from flagstaff.definitions import Definitions, load_definitions, load_project
from flagstaff.definitions.state import flag_of
from flagstaff.errors import Conflict, Unavailable, UsageError
from flagstaff.flags.actor import Actor
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.importers import Comparison, compare, read_actors, read_export, sample_actors
from flagstaff.importers.actors import FORM, USUAL
from flagstaff.importers.mapping import map_environments

PATIENCE: Final = 120.0
"""Seconds for the server to see definitions that were written; thousands of files take a while."""

LOOK_EVERY: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the words on the command line ask for."""

    data: bytes
    source: str
    system: str | None
    environments: tuple[str, ...]
    listed: bytes | None
    actors: str | None
    sample: int | None
    id_form: str | None
    match: str
    accept_loss: bool
    write_definitions: bool
    project: Path
    overrides: tuple[str, ...]
    reason: str


class Importing:
    """One import, from the file to the server."""

    def __init__(self, common: Common, asked: Asked) -> None:
        self._common = common
        self._asked = asked
        self._server: Server | None = None

    def run(self) -> Outcome | int:
        """Import the flags, or with a dry run say what would happen.

        Raises:
            FlagstaffError: the file is malformed, or the import was refused; nothing was changed.
        """
        asked = self._asked
        export = read_export(asked.data, source=asked.source, system=asked.system or "")
        project = load_project(asked.project)
        folder = asked.project / project.flags
        definitions = load_definitions(folder)
        actors, told = self._actors()
        mapped = map_environments(export, project.environments, asked.environments)
        places = plan(export, mapped, match=asked.match, accept_loss=asked.accept_loss)
        flags = {flag.name: flag for place in places for flag, _ in place.taken}
        known = self._known(list(mapped), definitions)
        files = files_for(flags.values(), definitions, folder, system=export.system)
        rewritten = frozenset(each.name for each in self._chosen(files))
        report = Report(
            export=export,
            source=asked.source,
            asked=told,
            places=places,
            compared=self._compare(places, known, actors, rewritten),
        )
        if not flags:
            return _done(report, ["nothing is imported"], ok=False)
        command = self._command(places, export.system)
        if self._common.dry_run:
            return self._rehearsed(report, command, files, known)
        return self._carried_out(report, command, files, known)

    def _actors(self) -> tuple[list[Actor], str]:
        asked = self._asked
        if asked.listed is not None:
            found = read_actors(asked.listed, source=asked.actors or "")
            return found, f"{len(found):,} actors in {asked.actors}"
        found = sample_actors(asked.sample or USUAL, asked.id_form or FORM)
        first, last = found[0].flag_id, found[-1].flag_id
        return found, f"{len(found):,} made-up actors, {first} to {last}"

    def _known(
        self, environments: Sequence[str], definitions: Definitions
    ) -> dict[str, dict[str, Flag]]:
        """Return the flags that are there, from the server or, for a dry run, from the files."""
        try:
            self._server = Server.find(self._common.server)
            return {each: self._snapshot(each) for each in environments}
        except Unavailable as exc:
            if not self._common.dry_run:
                raise
            self._server = None
            output.remark(f"{exc.message}; policies were not asked")
            found = {name: flag_of(name, each, None) for name, each in definitions.items()}
            return dict.fromkeys(environments, found)

    def _snapshot(self, environment: str) -> dict[str, Flag]:
        if self._server is None:
            return {}
        found = self._server.request(f"/api/v1/environments/{environment}/snapshot")
        return dict(Snapshot.from_json(found).flags)

    def _compare(
        self,
        places: Sequence[Place],
        known: Mapping[str, Mapping[str, Flag]],
        actors: Sequence[Actor],
        rewritten: frozenset[str],
    ) -> dict[str, list[Comparison]]:
        found = {}
        total = sum(len(place.taken) for place in places)
        with _progress(total, shown=not self._common.json) as done:
            for place in places:
                found[place.environment] = compare(
                    place.taken,
                    place.after(known[place.environment], rewritten=rewritten),
                    actors,
                    environment=place.environment,
                    done=done,
                )
        return found

    def _command(self, places: Sequence[Place], system: str) -> ImportFlags:
        return ImportFlags(
            gates={
                place.environment: {flag.name: _short(taken.gates) for flag, taken in place.taken}
                for place in places
                if place.taken
            },
            origin=system,
            reason=self._asked.reason,
            overrides=self._asked.overrides,
        )

    def _chosen(self, files: Files) -> tuple[File, ...]:
        """Return the files that are written."""
        if not self._asked.write_definitions:
            return ()
        return (*files.new, *(files.other if self._common.yes else ()))

    def _rehearsed(
        self,
        report: Report,
        command: ImportFlags,
        files: Files,
        known: Mapping[str, Mapping[str, Flag]],
    ) -> Outcome:
        lines = [f"would write {each.path}" for each in self._chosen(files)]
        lines += self._about_files(files)
        missing = _missing(command, known)
        if self._server is None:
            pass
        elif missing:
            lines.append(
                f"policies were not asked, as {len(missing)} of the flags are not defined yet"
            )
        else:
            lines += self._server.execute(command, dry_run=True).text.splitlines()
        if not lines or "dry run" not in lines[-1]:
            lines.append("nothing was changed (dry run)")
        return _done(report, lines)

    def _carried_out(
        self,
        report: Report,
        command: ImportFlags,
        files: Files,
        known: Mapping[str, Mapping[str, Flag]],
    ) -> Outcome | int:
        chosen = self._chosen(files)
        written = {each.name for each in chosen}
        missing = [name for name in _missing(command, known) if name not in written]
        if missing and not self._asked.write_definitions:
            raise UsageError(
                f"{len(missing)} of the flags are not defined: {', '.join(missing[:5])} …",
                hint="add --write-definitions, or look first with --dry-run",
            )
        if not self._confirmed(report):
            output.remark("nothing was changed")
            return 1
        write(chosen)
        if written:
            self._wait(command, sorted(written))
        if self._server is None:
            raise AssertionError("a server answered before")
        outcome = self._server.execute(command)
        lines = [f"wrote {len(chosen)} definitions"] if chosen else []
        lines += [*self._about_files(files), *outcome.text.splitlines()]
        return replace(_done(report, lines), next=outcome.next)

    def _about_files(self, files: Files) -> list[str]:
        written = {each.name for each in self._chosen(files)}
        kept = [each.name for each in files.other if each.name not in written]
        if not kept:
            return []
        return [
            f"note: {each}: its definition says otherwise how actors are picked or which flags it "
            "needs; --write-definitions --yes writes it anew"
            for each in kept
        ]

    def _confirmed(self, report: Report) -> bool:
        """Ask before anybody's answer changes."""
        changes = report.changes
        if self._common.yes or not (changes or report.lossy):
            return True
        what = f"{changes:,.0f} of the compared answers would change"
        if report.lossy:
            what += ", and some flags fit only partly"
        if not sys.stdin.isatty():
            raise UsageError(
                what, hint="look at them with --dry-run, and add --yes to change them so"
            )
        for line in report.lines():
            output.remark(line)
        return click.confirm(f"{what}. Import?", err=True)

    def _wait(self, command: ImportFlags, names: Sequence[str]) -> None:
        """Wait until the server has read the definitions that were written.

        Raises:
            Conflict: it does not; it probably reads another folder.
        """
        environment = next(iter(command.gates))
        end = time.monotonic() + PATIENCE
        while not set(names) <= self._snapshot(environment).keys():
            if time.monotonic() > end:
                raise Conflict(
                    f"{len(names)} definitions were written, but the server does not see them; "
                    "no flag was changed",
                    hint="bring them to the server's folder, and ask again as before",
                )
            time.sleep(LOOK_EVERY)


def _missing(command: ImportFlags, known: Mapping[str, Mapping[str, Flag]]) -> list[str]:
    return sorted(
        {
            name
            for environment, flags in command.gates.items()
            if isinstance(flags, dict)
            for name in flags
            if name not in known[environment]
        }
    )


def _short(gates: Gates) -> dict[str, object]:
    """Return the gates without those that are closed; thousands of them go into one request."""
    closed = Gates().to_json()
    return {key: value for key, value in gates.to_json().items() if value != closed[key]}


def _done(report: Report, lines: Sequence[str], *, ok: bool = True) -> Outcome:
    text = "\n".join([*report.lines(), *lines])
    return Outcome(ok=ok, text=text, data=report.to_json())


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Callable[[str], object]]:
    if not shown or not sys.stderr.isatty():
        yield len
        return
    from rich.console import Console  # noqa: PLC0415 loads slowly, and only a person sees it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("comparing answers", total=total)
        yield lambda _name: bar.advance(task)
