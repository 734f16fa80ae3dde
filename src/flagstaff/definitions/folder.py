"""Which flags does a folder of YAML files declare?"""

from __future__ import annotations

import difflib
import os
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from flagstaff.definitions.flag import Definition, check_definition
from flagstaff.definitions.prerequisites import circles
from flagstaff.definitions.problems import Problems, nearest, printable, quote
from flagstaff.definitions.source import read_file
from flagstaff.errors import DefinitionError, Problem

_SUFFIXES = frozenset({".yml", ".yaml"})


class Definitions(Mapping[str, Definition]):
    """Flags by name, in the order of their names; immutable.

    `warnings` are about the files they were read from, `errors` about files that declare no flag
    because they are wrong.
    """

    __slots__ = ("_by_name", "_errors", "_warnings")

    def __init__(
        self,
        definitions: Iterable[Definition] = (),
        *,
        warnings: tuple[Problem, ...] = (),
        errors: tuple[Problem, ...] = (),
    ) -> None:
        by_name = {definition.name: definition for definition in definitions}
        self._by_name = dict(sorted(by_name.items()))
        self._warnings = warnings
        self._errors = errors

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What works, but is probably not what was meant."""
        return self._warnings

    def __getitem__(self, name: str) -> Definition:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Definitions({', '.join(self._by_name)})"

    def wrong(self, name: str) -> Problem | None:
        """Return what is wrong first in the file of a flag that is missing because of it."""
        return next((each for each in self._errors if Path(each.file).stem == name), None)

    def near(self, name: str) -> tuple[str, ...]:
        """Return up to three names that may have been meant by `name`, the likeliest first."""
        likely = name.strip().lower().replace("-", "_")
        return tuple(difflib.get_close_matches(likely, self._by_name, n=3, cutoff=0.7))


def load_definitions(folder: Path) -> Definitions:
    """Return all flags in `folder` and below, kept as `<type>/<name>.yml` or as `<name>.yml`.

    A folder that is not there declares no flags, and gives a warning.

    Raises:
        DefinitionError: With every problem of every file.
    """
    definitions, errors = check_folder(folder)
    if errors:
        raise DefinitionError(errors)
    return definitions


def check_folder(
    folder: Path, *, root: Path | None = None
) -> tuple[Definitions, tuple[Problem, ...]]:
    """Return the flags that are in order, and what is wrong with the others.

    Messages name the files as seen from `root`.
    """
    here = Problems(_shown(folder, root))
    if not folder.is_dir():
        if folder.exists():
            here.error("is not a folder", remedy="keep definitions as <type>/<name>.yml in it")
        else:
            here.warn("is not there, so no flag is defined", remedy="is this the right folder?")
        return Definitions(warnings=here.warnings), here.errors
    found: dict[str, Definition] = {}
    errors: list[Problem] = []
    warnings: list[Problem] = []
    paths = _files(folder, here)
    for path in paths:
        problems = Problems(_shown(path, root))
        definition = _check_file(path, folder, problems)
        if definition is not None and (first := found.get(definition.name)):
            problems.error(
                f"the flag {quote(definition.name)} is already defined"
                f" in {_shown(first.path, root)}",
                remedy="delete one of the two files, or rename one of the flags",
            )
        elif definition is not None:
            found[definition.name] = definition
        errors += problems.errors
        warnings += problems.warnings
    for name, problem in _unmet(found, {path.stem for path in paths}, root):
        found.pop(name, None)
        errors.append(problem)
    wrong = (*here.errors, *errors)
    return Definitions(found.values(), warnings=tuple(warnings), errors=wrong), wrong


def _files(folder: Path, here: Problems) -> list[Path]:
    # Path.rglob would pass over a folder that may not be read, and its flags would be gone.
    def unreadable(exc: OSError) -> None:
        here.error(f"{exc.filename} cannot be read: {exc.strerror}", remedy="check permissions")

    found = [
        Path(place, name)
        for place, _, names in os.walk(folder, onerror=unreadable)
        for name in names
        if not name.startswith(".")
    ]
    return sorted(path for path in found if path.suffix in _SUFFIXES)


def _check_file(path: Path, folder: Path, problems: Problems) -> Definition | None:
    data = read_file(path, problems)
    if data is None:
        return None
    return check_definition(data, path=path, folder=folder, problems=problems)


def _unmet(
    found: Mapping[str, Definition], written: Container[str], root: Path | None
) -> list[tuple[str, Problem]]:
    """Return the flags whose prerequisites cannot be met, and why.

    A flag that is `written` but wrong has problems of its own.
    """
    unmet = [
        (
            definition.name,
            Problem(
                file=_shown(definition.path, root),
                line=each.line,
                what=f"needs the flag {quote(each.flag)}, which is not defined",
                remedy=_define(each.flag, found),
            ),
        )
        for definition in found.values()
        for each in definition.prerequisites
        if each.flag not in found and each.flag not in written
    ]
    for circle in circles({name: each.prerequisites for name, each in found.items()}):
        unmet += _in_a_circle([found[name] for name in circle], root)
    return unmet


def _define(name: str, found: Iterable[str]) -> str:
    near = nearest(name, found)
    return f"did you mean `{near}`?" if near else "define it, or delete the prerequisite"


def _in_a_circle(circle: list[Definition], root: Path | None) -> Iterator[tuple[str, Problem]]:
    # Each file gets the problem, for each of them may be the one that is to be mended.
    pairs = list(zip(circle, [*circle[1:], circle[0]], strict=True))
    words = ", ".join(
        f"{each.name} ({_shown(each.path, root)}) needs {needed.name}" for each, needed in pairs
    )
    for each, needed in pairs:
        problem = Problem(
            file=_shown(each.path, root),
            line=next(one.line for one in each.prerequisites if one.flag == needed.name),
            what=f"its prerequisites go round in a circle: {words}",
            remedy="take one of these prerequisites out",
        )
        yield each.name, problem


def _shown(path: Path, root: Path | None) -> str:
    if root is not None and path.is_relative_to(root):
        path = path.relative_to(root)
    return printable(path)
