"""Which scripts does a clean-up rewrite, and what does it leave in them?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from flagstaff.cleanup.patterns import Conventions, camel, word
from flagstaff.cleanup.scripts.asking import ScriptQuestion
from flagstaff.cleanup.scripts.constants import ScriptConstant, constants_in, local_names
from flagstaff.cleanup.scripts.rewrite import RewrittenScript, drop_constants, rewrite_script
from flagstaff.cleanup.scripts.source import SCRIPTS, Script, Unreadable, read_script
from flagstaff.cleanup.tree import Overlay, Tree


@dataclass(slots=True)
class ScriptCleaner:
    """Rewrites the scripts of `work`.

    `answers` are the lines with a bare answer, by path; `unreadable` those files that stay.
    """

    work: Overlay
    flag: str
    conventions: Conventions
    keep: bool = field(kw_only=True)
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    def clean(self) -> None:
        """Put the answer in wherever the flag is asked for, and drop the names it had."""
        scripts = {path: self._script(path) for path in self._holding({self.flag})}
        constants = [
            constant
            for path, script in scripts.items()
            if script is not None
            for constant in constants_in(path, script, self.flag)
        ]
        names = {constant.name for constant in constants} | self.conventions.wrapping(self.flag)
        for path in self._holding({self.flag, camel(self.flag), *names}):
            self._rewrite(path, constants)
        doomed = {
            constant
            for constant in constants
            if _mentions(self.work, constant.name) == 1
            and _mentions(self.work.below, constant.name) > 1
        }
        for path in sorted({constant.path for constant in doomed}):
            here = frozenset(constant for constant in doomed if constant.path == path)
            self._written(path, partial(drop_constants, flag=self.flag, doomed=here))

    def _rewrite(self, path: str, constants: list[ScriptConstant]) -> None:
        script = self._script(path)
        if script is None:
            return
        question = ScriptQuestion(
            flag=self.flag,
            keep=self.keep,
            conventions=self.conventions,
            names=local_names(script, path, constants),
            attributes=frozenset((c.owner, c.name) for c in constants if c.owner),
        )
        self._written(path, partial(rewrite_script, question=question))

    def _written(self, path: str, rewrite: Callable[[bytes, str], RewrittenScript]) -> None:
        content = self.work.read(path) or b""
        try:
            done = rewrite(content, path)
        except Unreadable:
            self.unreadable.add(path)
            return
        self.work.write(path, done.content)
        if done.answers:
            self.answers[path] = done.answers

    def _script(self, path: str) -> Script | None:
        try:
            return read_script(self.work.read(path) or b"", path)
        except Unreadable:
            self.unreadable.add(path)
            return None

    def _holding(self, words: set[str]) -> list[str]:
        return [path for path in self.work.containing(words) if path.endswith(SCRIPTS)]


def _mentions(tree: Tree, name: str) -> int:
    """Count the places in scripts and pages at which a name stands."""
    pattern = word(name)
    return sum(
        len(pattern.findall((tree.read(path) or b"").decode("utf-8", "replace")))
        for path in tree.containing((name,))
        if path.endswith((*SCRIPTS, ".vue", ".svelte", ".html"))
    )
