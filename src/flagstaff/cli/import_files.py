"""How do definitions of imported flags get into the project's folder?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from flagstaff.definitions import Definition, Definitions, parse_definition
from flagstaff.errors import Refused
from flagstaff.importers import ImportedFlag, definition_file


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One definition that is to be written."""

    name: str
    path: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What has to be written.

    Attributes:
        new: definitions that are missing.
        other: definitions that are there and say something else about how the flag answers.
    """

    new: tuple[File, ...]
    other: tuple[File, ...]


def files_for(
    flags: Iterable[ImportedFlag], known: Definitions, folder: Path, *, system: str
) -> Files:
    """Return the definitions that the flags need and do not have."""
    new: list[File] = []
    other: list[File] = []
    for flag in flags:
        there = known.get(flag.name)
        if there is None:
            path = folder / flag.type / f"{flag.name}.yml"
            text = definition_file(flag, system=system)
            new.append(File(name=flag.name, path=path, text=text))
        elif not _says_the_same(flag, there):
            text = definition_file(replace(flag, type=there.type), system=system)
            other.append(File(name=flag.name, path=there.path, text=text))
    for each in (*new, *other):
        parse_definition(each.text.encode(), path=each.path, folder=folder)
    return Files(new=tuple(new), other=tuple(other))


def write(files: Iterable[File]) -> None:
    """Write the files.

    Raises:
        Refused: one cannot be written; those before it are.
    """
    for each in files:
        try:
            each.path.parent.mkdir(parents=True, exist_ok=True)
            each.path.write_text(each.text, encoding="utf-8")
        except OSError as exc:
            raise Refused(
                f"{each.path} cannot be written: {(exc.strerror or '').lower()}",
                hint="no flag was changed; make the folder yours, and ask again",
            ) from exc


def _says_the_same(flag: ImportedFlag, there: Definition) -> bool:
    needed = tuple((each.flag, each.value) for each in there.prerequisites)
    return there.bucketing is flag.bucketing and needed == flag.prerequisites
