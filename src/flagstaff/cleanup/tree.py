"""Which files are there, and what is in them?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from flagstaff.cleanup.git import Git, GitFailed

_BINARY_PROBE = 8000
_SEARCHES = 2
_MOST_BYTES = 300_000_000


class Tree(Protocol):
    """A set of files, read only."""

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all regular files, sorted."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, `None` if there is no such file."""

    def containing(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the sorted paths of the text files that hold any of `words` as plain text."""


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """Files held in a mapping."""

    files: Mapping[str, bytes]

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all files, sorted."""
        return tuple(sorted(self.files))

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, `None` if there is no such file."""
        return self.files.get(path)

    def containing(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the sorted paths of the text files that hold any of `words` as plain text."""
        needles = [word.encode() for word in words]
        return tuple(p for p in sorted(self.files) if _holds(self.files[p], needles))


@dataclass(frozen=True, slots=True)
class GitTree:
    """The files of one commit; links and submodules are not files."""

    git: Git
    commit: str
    modes: Mapping[str, str]
    blobs: Mapping[str, str]
    _read: dict[str, bytes | None] = field(default_factory=dict)
    _found: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)
    _whole: list[MemoryTree] = field(default_factory=list)

    @classmethod
    def at(cls, root: Path, revision: str = "HEAD") -> GitTree:
        """Open the commit `revision` of the repository at `root`.

        Raises:
            NotFound: no such repository, or no such commit in it.
        """
        git = Git.at(root)
        commit = git.commit(revision)
        modes: dict[str, str] = {}
        blobs: dict[str, str] = {}
        for entry in git.run("ls-tree", "-r", "-z", commit).split(b"\0"):
            head, _, path = entry.partition(b"\t")
            if head.startswith(b"100"):
                mode, _, blob = head.decode().split()
                modes[os.fsdecode(path)] = mode
                blobs[os.fsdecode(path)] = blob
        return cls(git, commit, modes, blobs)

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all regular files, sorted."""
        return tuple(sorted(self.modes))

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, `None` if there is no such file."""
        if path not in self.modes:
            return None
        if path not in self._read:
            self._load((path,))
        return self._read[path]

    def containing(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the sorted paths of the text files that hold any of `words` as plain text."""
        wanted = frozenset(words)
        if wanted not in self._found:
            self._found[wanted] = self._search(sorted(wanted))
        return self._found[wanted]

    def _search(self, words: list[str]) -> tuple[str, ...]:
        if not words:
            return ()
        if len(self._found) >= _SEARCHES and self._in_memory():
            return self._whole[0].containing(words)
        patterns = [part for word in words for part in ("-e", word)]
        try:
            found = self.git.run("grep", "-z", "-l", "-I", "-F", *patterns, self.commit, "--")
        except GitFailed as error:
            # `git grep` ends with 1, and says nothing, when nothing was found.
            if error.message != "git ended with 1":
                raise
            return ()
        skip = len(self.commit) + 1
        hits = {os.fsdecode(name[skip:]) for name in found.split(b"\0") if name}
        paths = tuple(sorted(hits & self.modes.keys()))
        self._load(tuple(path for path in paths if path not in self._read))
        return paths

    def _in_memory(self) -> bool:
        """Read every file once, where there are not too many: each search of git's reads them."""
        if not self._whole:
            sizes = self.git.run("ls-tree", "-r", "-z", "-l", self.commit).split(b"\0")
            if sum(_size(entry) for entry in sizes) > _MOST_BYTES:
                return False
            self._load(tuple(path for path in self.modes if path not in self._read))
            files = {path: content or b"" for path, content in self._read.items()}
            self._whole.append(MemoryTree(files))
        return True

    def _load(self, paths: tuple[str, ...]) -> None:
        if not paths:
            return
        asked = "".join(f"{self.blobs[path]}\n" for path in paths).encode()
        answer = self.git.run("cat-file", "--batch", stdin=asked)
        start = 0
        for path in paths:
            end = answer.index(b"\n", start)
            told = answer[start:end].split()[-1]
            if told == b"missing":  # a partial clone without a network
                self._read[path] = None
                start = end + 1
                continue
            size = int(told)
            self._read[path] = answer[end + 1 : end + 1 + size]
            start = end + size + 2


@dataclass(frozen=True, slots=True)
class Overlay:
    """A tree with changes on top, which are kept here and never written."""

    below: Tree
    changed: dict[str, bytes | None] = field(default_factory=dict)

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all files after the changes, sorted."""
        written = {path for path, content in self.changed.items() if content is not None}
        return tuple(sorted((set(self.below.paths()) - self.changed.keys()) | written))

    def read(self, path: str) -> bytes | None:
        """Return the content after the changes, `None` if there is no such file."""
        return self.changed[path] if path in self.changed else self.below.read(path)

    def containing(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the sorted paths that hold any of `words` after the changes."""
        words = tuple(words)
        above = MemoryTree({p: c for p, c in self.changed.items() if c is not None})
        kept = set(self.below.containing(words)) - self.changed.keys()
        return tuple(sorted(kept | set(above.containing(words))))

    def write(self, path: str, content: bytes | None) -> None:
        """Change a file in this overlay; `None` deletes it."""
        if content == self.below.read(path):
            self.changed.pop(path, None)
        else:
            self.changed[path] = content


def _holds(content: bytes, needles: list[bytes]) -> bool:
    return b"\0" not in content[:_BINARY_PROBE] and any(needle in content for needle in needles)


def _size(entry: bytes) -> int:
    fields = entry.partition(b"\t")[0].split()
    return int(fields[3]) if len(fields) > 3 and fields[3].isdigit() else 0  # noqa: PLR2004
