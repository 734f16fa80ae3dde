"""Which YAML and JSON files does a clean-up rewrite, and why is a line of them left?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flagstaff.cleanup.changes import Reference, ReferenceKind
from flagstaff.cleanup.data.cuts import Reader, Uncuttable, without_entry
from flagstaff.cleanup.data.entries import Found, flag_entries, variables_of
from flagstaff.cleanup.data.json_nodes import json_documents
from flagstaff.cleanup.data.nodes import Unreadable
from flagstaff.cleanup.data.yaml_nodes import yaml_documents
from flagstaff.cleanup.elsewhere import is_code
from flagstaff.cleanup.patterns import Conventions, camel, spelled, word
from flagstaff.cleanup.tree import Overlay, Tree

DATA = (".yml", ".yaml", ".json")
NO_TABLE = "stands in no list or table of flags, so it may mean something else"
NO_DATA = "is in a file that cannot be read as YAML or JSON"
BESIDE = "stands beside something that its removal would change"
STILL_ASKED = "is listed still, since the code may still ask for the flag"
STILL_NAMED = "sets a variable that is still named, or was never read here"

_MOST_BYTES = 2_000_000
"""A file with more is no configuration that people write."""


@dataclass(frozen=True, slots=True)
class DataCleaner:
    """Takes the flag's entries out of the data files of `work`, once the code is rewritten."""

    work: Overlay
    flag: str
    conventions: Conventions

    def clean(self) -> None:
        """Cut out every entry that is the flag's for certain."""
        files = {path: found for path in self._files() if (found := self._certain(path))}
        if not files:
            return
        variables = self._may_go(variable=True)
        tables = self._may_go(variable=False)
        for path, found in files.items():
            self._cut(path, [variables if each.variable else tables for each in found])

    def _files(self) -> list[str]:
        return [
            path
            for path in self.work.containing({self.flag, camel(self.flag)})
            if is_data(path, self.conventions, self.flag)
        ]

    def _certain(self, path: str) -> list[Found]:
        text = text_of(self.work.read(path) or b"")
        try:
            found = () if text is None else entries_in(path, text, self.flag)
        except Unreadable:
            return []
        return [each for each in found if not each.doubt]

    def _cut(self, path: str, going: list[bool]) -> None:
        """Cut the entries out from the last to the first, so that the others stay in place."""
        for number in reversed(range(len(going))):
            text, found = text_of(self.work.read(path) or b""), self._certain(path)
            if not going[number] or text is None or number >= len(found):
                continue
            try:
                shorter = without_entry(text, found[number].place, reader(path))
            except Uncuttable:
                continue
            self.work.write(path, shorter.encode())

    def _may_go(self, *, variable: bool) -> bool:
        """Tell whether nothing in the code asks for the flag any more.

        A variable must have been read by the code, and be named by nothing but its values.
        """
        if not variable:
            return not self.is_asked()
        if not self._code(self.work.below) or self._code(self.work):
            return False
        return all(self._is_only_set(path) for path in self._files())

    def is_asked(self) -> bool:
        """Tell whether the code may ask for the flag still."""
        return any(_asks(self.work, path, self.flag) for path in self._code(self.work))

    def _code(self, tree: Tree) -> list[str]:
        """Return the programs that name the flag; what a migration did is done."""
        return [
            path
            for path in tree.containing({self.flag, camel(self.flag)})
            if is_code(path)
            and not path.endswith(DATA)
            and "/migrations/" not in f"/{path}"
            and spelled(self.flag).search((tree.read(path) or b"").decode("utf-8", "replace"))
        ]

    def _is_only_set(self, path: str) -> bool:
        text = text_of(self.work.read(path) or b"") or ""
        named = len(word(self.flag).findall(text))
        return named == len([each for each in self._certain(path) if each.variable])


def is_data(path: str, conventions: Conventions, flag: str) -> bool:
    """Tell whether a file is YAML or JSON, and none of those that Flagstaff reads itself."""
    own = path in conventions.settings_files or conventions.is_definition(path, flag)
    return path.endswith(DATA) and not own


def reader(path: str) -> Reader:
    """Return how a file is read."""
    return json_documents if path.endswith(".json") else yaml_documents


def text_of(content: bytes) -> str | None:
    """Return the text of a file, `None` if it is none or is too long to be written by hand."""
    try:
        return content.decode() if len(content) <= _MOST_BYTES else None
    except UnicodeDecodeError:
        return None


def entries_in(path: str, text: str, flag: str) -> tuple[Found, ...]:
    """Return the entries of a file that name the flag.

    Raises:
        Unreadable: it is no YAML, or JSON, as its name says.
    """
    try:
        return flag_entries(path, reader(path)(text), flag)
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error


def data_references(path: str, content: bytes, flag: str) -> Iterator[Reference]:
    """Yield the lines of a data file that name the flag, or what may be a variable of its."""
    reasons = reasons_left(path, content, flag)
    listed = {number for number, reason in reasons.items() if reason != NO_TABLE}
    lines = content.decode("utf-8", "replace").split("\n")
    for number in sorted(reasons):
        kind = ReferenceKind.ENTRY if number in listed else ReferenceKind.TEXT
        text = lines[number - 1].strip()
        yield Reference(path=path, line=number, kind=kind, text=text)


def reasons_left(path: str, content: bytes, flag: str) -> dict[int, str]:
    """Return why each line of a data file that names the flag is left, by its number."""
    pattern, variables = spelled(flag), variables_of(flag)
    reasons = {
        number: NO_TABLE
        for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1)
        if pattern.search(line) or (variables is not None and variables.search(line))
    }
    text = text_of(content)
    try:
        found = () if text is None or not reasons else entries_in(path, text, flag)
    except Unreadable:
        return dict.fromkeys(reasons, NO_DATA)
    for each in found:
        entry = each.place.entry
        first = (text or "").count("\n", 0, entry.start) + 1
        last = (text or "").count("\n", 0, entry.end) + 1
        for number in range(first, last + 1):
            if number in reasons:
                reasons[number] = each.doubt or _held_back(text or "", path, each)
    return reasons


def _held_back(text: str, path: str, found: Found) -> str:
    """Return why an entry that is the flag's for certain is there all the same."""
    try:
        without_entry(text, found.place, reader(path))
    except Uncuttable:
        return BESIDE
    return STILL_NAMED if found.variable else STILL_ASKED


def _asks(tree: Tree, path: str, flag: str) -> bool:
    """Tell whether a program still names the flag other than in a comment of a line of its own."""
    text = (tree.read(path) or b"").decode("utf-8", "replace")
    code = re.sub(r"(?m)^\s*(?:#|//|\*).*$", "", text)
    return spelled(flag).search(code) is not None
