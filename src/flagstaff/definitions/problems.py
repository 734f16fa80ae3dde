"""What is wrong with a file, all of it, and what should be written instead?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from flagstaff.errors import DefinitionError, Problem

_SHOWN_LENGTH = 60
_MOST = 100


class Problems:
    """Collect the errors and warnings of one file, so that all are reported at once."""

    __slots__ = ("_errors", "_warnings", "file")

    def __init__(self, file: str) -> None:
        self.file = file
        self._errors: list[Problem] = []
        self._warnings: list[Problem] = []

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What must be mended, in the order of the lines; a flood of errors is summed up."""
        found = sorted(self._errors, key=lambda problem: problem.line)
        if rest := found[_MOST:]:
            what = f"has {len(rest)} more problems"
            found[_MOST:] = [Problem(file=self.file, line=rest[0].line, what=what)]
        return tuple(found)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What should be looked at, in the order of the lines."""
        return tuple(sorted(self._warnings, key=lambda problem: problem.line))

    def error(self, what: str, *, line: int = 0, remedy: str = "") -> None:
        """Note something that must be mended; `line` counts from 1, 0 is the whole file."""
        self._errors.append(Problem(file=self.file, line=line, what=what, remedy=remedy))

    def warn(self, what: str, *, line: int = 0, remedy: str = "") -> None:
        """Note something that works, but is probably not what was meant."""
        self._warnings.append(Problem(file=self.file, line=line, what=what, remedy=remedy))

    def raise_errors(self) -> None:
        """Raise `DefinitionError` with all errors, if there are any."""
        if self._errors:
            raise DefinitionError(self.errors)


def quote(text: str) -> str:
    """Return `text` fit for a message: quoted, on one line, not longer than a line."""
    if len(text) > _SHOWN_LENGTH:
        text = text[: _SHOWN_LENGTH - 1] + "…"
    return repr(text)


def bare(text: str) -> str:
    """Return `text` as `quote` does, but without the quotes."""
    return quote(text)[1:-1]


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the one of `words` that was probably meant by `word`, or an empty text."""
    likely = word.strip().lower().replace("-", "_")
    return next(iter(difflib.get_close_matches(likely, tuple(words), n=1, cutoff=0.7)), "")


def suggestion(word: str, words: Iterable[str]) -> str:
    """Return `did you mean …?` for a near miss, otherwise the list of `words` to choose from."""
    words = tuple(words)
    if near := nearest(word, words):
        return f"did you mean `{near}`?"
    return "write one of " + ", ".join(words)


def printable(path: Path) -> str:
    """Return `path` for a message; a file name need not be valid UTF-8."""
    return str(path).encode("utf-8", "replace").decode()
