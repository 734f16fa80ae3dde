"""Which Python files does a clean-up rewrite, and what does it leave in them?"""

from __future__ import annotations

from dataclasses import dataclass, field

from flagstaff.cleanup.answers import Constant, Question, local_names
from flagstaff.cleanup.elsewhere import Elsewhere, is_code
from flagstaff.cleanup.patterns import Conventions, word
from flagstaff.cleanup.references import find_constants, parsed
from flagstaff.cleanup.renames import Losers
from flagstaff.cleanup.rewrite import Rewrite, Unreadable
from flagstaff.cleanup.tree import Overlay, Tree


@dataclass(slots=True)
class PythonCleaner:
    """Rewrites the Python files of `work`; `answers` are the lines with a bare answer, by path."""

    work: Overlay
    flag: str
    conventions: Conventions
    keep: bool = field(kw_only=True)
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _constants: tuple[Constant, ...] = ()

    def clean(self) -> None:
        """Put the answer in wherever the flag is asked for."""
        self._constants = find_constants(self.work, self.flag)
        for path in self.work.containing({self.flag, *(c.name for c in self._constants)}):
            if path.endswith(".py"):
                self.rewrite(path)

    def rewrite(
        self, path: str, losers: Losers | None = None, constants: frozenset[str] = frozenset()
    ) -> None:
        """Rewrite one file; one that does not parse stays as it is."""
        content = self.work.read(path) or b""
        question = self._question(path, content)
        if question is None:
            return
        rewrite = Rewrite(
            question=question,
            losers=losers,
            constants=constants,
            keeps=Elsewhere(self.work, path).uses,
        )
        try:
            done = rewrite.apply(content, original=self.work.below.read(path))
        except Unreadable:
            return
        if done.content != content:
            deleted = done.emptied and _is_test(path)
            self.work.write(path, None if deleted else done.content)
        # Markers do not survive printing: a later rewrite sees `True` like any other.
        self.answers.setdefault(path, done.answers)

    def drop_constants(self) -> None:
        """Drop the constants that held the flag's name where nothing names them any more."""
        # One that nothing ever read may be text that happens to be equal.
        doomed = [
            constant
            for constant in self._constants
            if _mentions(self.work, constant.name) == 1
            and _mentions(self.work.below, constant.name) > 1
        ]
        for path in sorted({constant.path for constant in doomed}):
            names = frozenset(c.name for c in doomed if c.path == path)
            self.rewrite(path, constants=names)

    def _question(self, path: str, content: bytes) -> Question | None:
        module = parsed(content)
        if module is None:
            return None
        return Question(
            flag=self.flag,
            keep=self.keep,
            conventions=self.conventions,
            names=local_names(module, path, self._constants),
            attributes=frozenset((c.owner, c.name) for c in self._constants),
        )


def _mentions(tree: Tree, name: str) -> int:
    pattern = word(name)
    return sum(
        len(pattern.findall((tree.read(path) or b"").decode("utf-8", "replace")))
        for path in tree.containing((name,))
        if is_code(path)
    )


def _is_test(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("test_") or name.endswith(("_test.py", "tests.py"))
