"""Which Python files does a clean-up rewrite, and what does it leave in them?"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import libcst as cst

from flagstaff.cleanup.answers import Question
from flagstaff.cleanup.asking import names_flag
from flagstaff.cleanup.changes import OldJob
from flagstaff.cleanup.constants import Constant, is_loud
from flagstaff.cleanup.declared_jobs import Declarations
from flagstaff.cleanup.elsewhere import READERS, Elsewhere, is_code
from flagstaff.cleanup.factories import factories_in
from flagstaff.cleanup.layout import laid_out
from flagstaff.cleanup.meanings import Held, Meanings
from flagstaff.cleanup.methods import Methods, asking, is_idle
from flagstaff.cleanup.modules import Modules
from flagstaff.cleanup.patterns import Conventions, word
from flagstaff.cleanup.references import find_constants, text_behind
from flagstaff.cleanup.renames import Losers
from flagstaff.cleanup.rewrite import Rewrite, Unreadable
from flagstaff.cleanup.settings_names import defines, is_defined_only
from flagstaff.cleanup.settings_places import are_values, is_setting_only, reads
from flagstaff.cleanup.styles import Styles
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.tree import Overlay, Tree
from flagstaff.cleanup.unused import counted
from flagstaff.cleanup.unused_methods import unused_methods
from flagstaff.cleanup.wrappers import Wrappers, callers

_DEEPEST = 5  # functions that call functions that ask


@dataclass(slots=True)
class PythonCleaner:
    """Rewrites the Python files of `work`; `answers` are the lines with a bare answer, by path.

    `unpinned` are those of the tests that gave the flag the other answer around a part of them.
    """

    work: Overlay
    flag: str
    conventions: Conventions
    keep: bool = field(kw_only=True)
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unpinned: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _constants: tuple[Constant, ...] = ()
    _meanings: Meanings | None = None
    _modules: Modules | None = None
    _is_setting: bool = False
    _wrappers: Wrappers = field(default_factory=Wrappers)
    _methods: Methods = field(default_factory=Methods)
    _made: dict[str, bool] | None = None

    def clean(self) -> None:
        """Put the answer in wherever the flag is asked for."""
        self.flag = text_behind(self.work, self.flag, self.conventions)
        self._constants = find_constants(self.work, self.flag)
        self._is_setting = not self._constants and self._names_a_setting()
        names = {c.name for c in self._constants} | self.conventions.wrapping(self.flag)
        for path in self.work.containing({self.flag, *names}):
            if path.endswith(".py"):
                self.rewrite(path)
        self._follow_wrappers()
        self._drop_methods()
        self._take_away_imports()

    def _drop_methods(self) -> None:
        """Drop the methods of classes that only what is gone by now called."""
        for path in sorted(path for path in self.work.changed if path.endswith(".py")):
            before = parsed(self.work.below.read(path) or b"")
            for _ in range(_DEEPEST):
                after = parsed(self.work.read(path) or b"")
                names = (
                    unused_methods(before, after, lambda name: _mentions(self.work, name))
                    if before and after
                    else frozenset()
                )
                if not names:
                    break
                self.rewrite(path, functions=names)

    def _take_away_imports(self) -> None:
        """Drop the imports of constants that only what is gone by now took from their files."""
        names = [constant.name for constant in self._constants]
        for path in sorted(set(self.work.changed).intersection(self.work.containing(names))):
            if path.endswith(".py"):
                self.rewrite(path)

    def _follow_wrappers(self) -> None:
        """Put the answer in for functions and methods that only return it, and drop these."""
        for _ in range(_DEEPEST):
            found = self._wrappers.found_in(self.work)
            methods = self._methods.found_in(self.work, self.flag)
            if not found and not methods:
                return
            for path, name in found:
                named = name in self.doubles
                for caller in callers(self.work, path, name, named=named) * (1 + named):
                    # Once no test names it any more, those that import it can let go.
                    self.rewrite(caller)
                if self._is_idle(path, name):
                    self.rewrite(path, functions=frozenset({name}))
            for method in methods:
                for caller in asking(self.work, method):
                    self.rewrite(caller)
            for method in methods:
                if is_idle(self.work, method):
                    name = f"{method.owner}.{method.name}"
                    self.rewrite(method.path, functions=frozenset({name}))

    def _is_idle(self, path: str, name: str) -> bool:
        """Tell whether a function was called elsewhere, and is not mentioned any more."""
        elsewhere = Elsewhere(self.work.below, path).uses(name)
        return (
            elsewhere
            and not any(
                word(name).search((self.work.read(other) or b"").decode("utf-8", "replace"))
                for other in self.work.containing((name,))
                if other != path and is_code(other)
            )
            and _reads(self.work.read(path) or b"", name) == 0
        )

    def rewrite(
        self,
        path: str,
        losers: Losers | None = None,
        constants: frozenset[str] = frozenset(),
        *,
        functions: frozenset[str] = frozenset(),
        setting: bool = False,
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
            functions=functions,
            setting=setting,
            in_tests=is_test(path),
            shared=not is_test_alone(path),
            keeps=Elsewhere(self.work, path).uses,
        )
        try:
            done = rewrite.apply(content, original=self.work.below.read(path))
        except Unreadable:
            return
        if done.content != content:
            deleted = done.emptied and is_test(path)
            self.work.write(path, None if deleted else done.content)
        # Markers do not survive printing: a later rewrite sees `True` like any other.
        for lines, found in ((self.answers, done.answers), (self.unpinned, done.unpinned)):
            earlier = _followed(lines.get(path, ()), content, done.content)
            lines[path] = tuple(sorted({*earlier, *found}))

    def lay_out(self) -> None:
        """Lay out what was changed as the project's formatter would."""
        styles = Styles(self.work.below)
        for path in sorted(path for path in self.work.changed if path.endswith(".py")):
            content, before = self.work.read(path), self.work.below.read(path)
            if content is None or before is None:
                continue
            done = laid_out(before, content, styles.of(path))
            if done != content:
                self.work.write(path, done)
                for lines in (self.answers, self.unpinned):
                    lines[path] = tuple(_followed(lines.get(path, ()), content, done))

    def declared_jobs(self) -> dict[OldJob, tuple[str, str]]:
        """Return the jobs that the code gives two names: in which file, of which application."""
        found: dict[OldJob, tuple[str, str]] = {}
        for path in self.work.containing(("declare",)):
            content = self.work.read(path) or b""
            question = self._question(path, content) if path.endswith(".py") else None
            if question is not None and any(word.encode() in content for word in question.words):
                declarations = Declarations(question)
                cst.parse_module(content).visit(declarations)
                found |= {job: (path, application) for job, application in declarations.found}
        return found

    def drop_constants(self) -> None:
        """Drop the constants that held the flag's name where nothing names them any more."""
        doomed = [
            constant
            for constant in self._constants
            if _mentions(self.work, constant.name) == self._own(constant)
            and (self._was_read(constant) or self._is_idle_object(constant))
        ]
        for path in sorted({constant.path for constant in doomed}):
            names = frozenset(c.name for c in doomed if c.path == path)
            self.rewrite(path, constants=names)
        for path in sorted({constant.path for constant in doomed}):
            content, modules = self.work.read(path), Modules(self.work)
            if content is not None and not content.strip() and not modules.imports(path):
                self.work.write(path, None)

    def _was_read(self, constant: Constant) -> bool:
        # A text that nothing ever read may just happen to be equal.
        return _mentions(self.work.below, constant.name) > self._own(constant)

    def _is_idle_object(self, constant: Constant) -> bool:
        """Tell whether a constant is an object of the flag which nothing reaches by its text."""
        texts = sum(1 + len(word(self.flag).findall(each.name)) for each in self._constants)
        return constant.is_object and _mentions(self.work, self.flag) <= texts

    def _own(self, constant: Constant) -> int:
        """Return how often a constant's name stands where it is given its text."""
        return 1 + len(word(constant.name).findall(self.flag))

    def drop_setting(self) -> None:
        """Drop the values that were given to a setting which nothing reads any more."""
        if not self.flag.isidentifier() or self._constants:
            return
        defined = []
        for path in self.work.containing((self.flag,)):
            content = self.work.read(path) or b""
            module = parsed(content) if path.endswith(".py") else None
            if module is not None:
                if not is_defined_only(module, content.decode("utf-8", "replace"), self.flag):
                    return
                if defines(module, self.flag):
                    defined.append(path)
            elif path.endswith((".py", *READERS)):
                return
        if defined and self._is_setting and (names_flag(self.flag) or self._is_read()):
            for path in defined:
                module = parsed(self.work.read(path) or b"")
                if module is None or not are_values(module, path, self.flag):
                    return
            for path in defined:
                self.rewrite(path, setting=True)

    def _is_read(self) -> bool:
        """Tell whether anything read the setting before the clean-up."""
        return any(
            reads(module, self.flag)
            for path in self.work.below.containing((self.flag,))
            if path.endswith(".py") and (module := parsed(self.work.below.read(path) or b""))
        )

    def _names_a_setting(self) -> bool:
        """Tell whether the flag's name may be one of a setting, and is that of nothing else."""
        return self.flag.isidentifier() and all(
            is_setting_only(module, path, self.flag)
            for path in self.work.containing((self.flag,))
            if path.endswith(".py") and (module := parsed(self.work.read(path) or b""))
        )

    @property
    def doubles(self) -> dict[str, bool]:
        """Return what functions, and objects of the flag, answer with it on that tests replace."""
        objects = {each.name for each in self._constants if each.is_object and is_loud(each.name)}
        functions = self._wrappers.doubles.items()
        return dict.fromkeys(objects, True) | {n: truth is self.keep for n, truth in functions}

    @property
    def _factories(self) -> dict[str, bool]:
        if self._made is None:
            self._made = factories_in(self.work.below)
        return self._made

    def _question(self, path: str, content: bytes) -> Question | None:
        module = parsed(content)
        if module is None:
            return None
        if self._modules is None or self._meanings is None:
            # Names are followed through the files as they were.
            self._modules = Modules(self.work.below)
            self._meanings = Meanings(self._modules, self.flag, self._constants)
        texts = self._meanings.names(path, module, Held.NAME)
        objects = self._meanings.names(path, module, Held.OBJECT)
        wrappers, wrapper_attributes = self._wrappers.local(path, module, self._modules)
        methods, properties = self._methods.local(path, module)
        return Question(
            flag=self.flag,
            keep=self.keep,
            conventions=self.conventions,
            names=texts.names,
            attributes=texts.attributes,
            objects=objects.names,
            object_attributes=objects.attributes,
            wrappers=wrappers,
            wrapper_attributes=wrapper_attributes | methods,
            properties=properties,
            is_setting=self._is_setting,
            is_read_here=self._is_setting and _reads_plainly(module, self.flag),
            factories=self._factories if is_test(path) else {},
            doubles=self.doubles,
            overrides_turn_on=b"flagstaff.testing" in content,
        )


def _mentions(tree: Tree, name: str) -> int:
    pattern = word(name)
    return sum(
        len(pattern.findall((tree.read(path) or b"").decode("utf-8", "replace")))
        for path in tree.containing((name,))
        if is_code(path)
    )


def _followed(numbers: Sequence[int], before: bytes, after: bytes) -> Iterator[int]:
    """Yield where lines of a file stand after a change of it."""
    if not numbers or before == after:
        yield from numbers
        return
    old, new = before.splitlines(), after.splitlines()
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        for number in numbers:
            if block.a < number <= block.a + block.size:
                yield number - block.a + block.b


def _reads(content: bytes, name: str) -> int:
    module = parsed(content)
    return 0 if module is None else counted(module).read[name]


def _reads_plainly(module: ast.Module, name: str) -> bool:
    """Tell whether a module reads one of its own names, other than as a part of something."""
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for node in ast.walk(module)
    )


def is_test(path: str) -> bool:
    """Tell whether a file holds tests, or what tests share."""
    *folders, name = path.lower().split("/")
    return (
        name.startswith(("test_", "tests.", "conftest."))
        or name.endswith(("_test.py", "_tests.py"))
        or bool({"test", "tests", "testing"} & set(folders))
    )


def is_test_alone(path: str) -> bool:
    """Tell whether a file holds tests, and nothing that other tests share."""
    name = path.rpartition("/")[2]
    return name.startswith(("test_", "tests.")) or name.endswith(("_test.py", "_tests.py"))
