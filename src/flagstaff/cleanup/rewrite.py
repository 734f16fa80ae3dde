"""What is left of a Python file once the flag's answer is fixed?"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import libcst as cst
from libcst import matchers
from libcst.metadata import MetadataWrapper, PositionProvider

from flagstaff.cleanup.answers import Question, text_of
from flagstaff.cleanup.declared_jobs import DeclaredRemover
from flagstaff.cleanup.evaluate import Evaluator
from flagstaff.cleanup.fixtures import FixtureDropper, idle_fixtures
from flagstaff.cleanup.focus import Focus
from flagstaff.cleanup.listings import Decorators, Listings
from flagstaff.cleanup.markers import Gone, Known, Unpinned, gone
from flagstaff.cleanup.overrides import Overrides, SetUps
from flagstaff.cleanup.propagate import propagate
from flagstaff.cleanup.renames import JobRemover, Losers
from flagstaff.cleanup.settings_names import SettingRemover
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.unused import Start, drop_unused

_MOST_PASSES = 50
_Visiting: TypeAlias = Callable[[cst.Module, cst.CSTTransformer], cst.Module]


class Unreadable(Exception):
    """A file is no Python that can be parsed, or the outcome would not be."""


class _Broken(Exception):
    """The outcome would not parse."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file after the clean-up, and the lines on which a bare answer was left.

    `unpinned` are those of tests that gave the flag the answer that goes around a part of them.
    """

    content: bytes
    answers: tuple[int, ...] = ()
    unpinned: tuple[int, ...] = ()
    emptied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What to do with one file; `keeps` tells which of its names other files use.

    The fixtures of a file that is `shared`, such as `conftest.py`, are there for other files too.
    """

    question: Question
    losers: Losers | None = None
    constants: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    setting: bool = False
    in_tests: bool = False
    shared: bool = False
    keeps: Callable[[str], bool] = field(default=lambda _: False)

    def apply(self, content: bytes, *, original: bytes | None = None) -> Rewritten:
        """Return the file after the clean-up.

        What was in use in `original`, and is no longer, goes.

        Raises:
            Unreadable: the file does not parse.
        """
        try:
            module = cst.parse_module(content)
            same = original is None or original == content
            start = module if same or original is None else cst.parse_module(original)
        except (cst.ParserSyntaxError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(str(error)) from error
        try:
            return self._finished(module, start, tidy=True)
        except (cst.CSTValidationError, _Broken):
            pass
        try:
            return self._finished(module, start, tidy=False)
        except (cst.CSTValidationError, _Broken) as error:
            raise Unreadable(str(error)) from error

    def _finished(self, module: cst.Module, start: cst.Module, *, tidy: bool) -> Rewritten:
        done = self._settled(module, start, tidy=tidy)
        content = done.bytes
        if content == module.bytes:
            return Rewritten(content, emptied=bool(start.body) and _is_empty(done))
        if parsed(content) is None:
            raise _Broken
        emptied = bool(start.body) and _is_empty(done)
        return Rewritten(content, _lines(done, Known), _lines(done, Unpinned), emptied=emptied)

    def _settled(self, module: cst.Module, start: cst.Module, *, tidy: bool) -> cst.Module:
        """Run the passes until nothing changes."""
        visited = self._visits(module)
        module = self._unpinned(module, visited)
        module = visited(module, Listings(self.question))
        module = visited(module, Decorators(self.question))
        if self.constants:
            module = visited(module, _Constants(self.constants, self.question.flag))
        if self.functions:
            module = _visited(module, _Functions(self.functions))
        if self.setting:
            module = visited(module, SettingRemover(self.question.flag))
        if self.losers is not None:
            declared = DeclaredRemover(self.losers.declared, self.losers.module, self.question)
            module = _visited(_visited(module, declared), JobRemover(self.losers))
        used: Start | None = None
        code, text = start.code, module.code
        for _ in range(_MOST_PASSES):
            before = text
            module = visited(module, Evaluator(self.question, tidy=tidy))
            module = propagate(module, self.question, self.keeps)
            text = module.code
            if text != code:
                used = used or Start.of(start)
                dropped = drop_unused(used, module, self.keeps)
                text = text if dropped is module else dropped.code
                module = dropped
            if text == before:
                break
        return module

    def _unpinned(self, module: cst.Module, visited: _Visiting) -> cst.Module:
        """Return the module without what pins the flag, or turns it on for a test."""
        module = visited(module, Overrides(self.question))
        if not self.in_tests:
            return module
        module = visited(module, SetUps(self.question))
        fixtures = frozenset() if self.shared else idle_fixtures(module, self.question)
        return _visited(module, FixtureDropper(fixtures)) if fixtures else module

    def _visits(self, module: cst.Module) -> _Visiting:
        """Return how to visit: past what does not name the flag, unless jobs go as well."""
        if self.losers is not None:
            return _visited
        return Focus(module, self.question.words | self.constants).visited


class _Constants(cst.CSTTransformer):
    """Drop the constants that held the flag's name."""

    def __init__(self, names: frozenset[str], flag: str) -> None:
        super().__init__()
        self._names = names
        self._flag = flag

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        del node
        return False

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node.targets:
            case [cst.AssignTarget(target=cst.Name() as name)]:
                return Gone() if self._goes(name, updated_node.value) else updated_node
        return updated_node

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.BaseSmallStatement:
        del original_node
        goes = self._goes(updated_node.target, updated_node.value)
        return Gone() if goes else updated_node

    def _goes(self, target: cst.BaseExpression, value: cst.BaseExpression | None) -> bool:
        """Tell whether it is one of the names, and holds the flag's rather than another text."""
        named = isinstance(target, cst.Name) and target.value in self._names
        match value:
            case cst.Call(args=args):
                return named and self._flag in [text_of(arg.value) for arg in args]
            case cst.BaseExpression():
                return named and text_of(value) == self._flag
        return False


class _Functions(cst.CSTTransformer):
    """Drop functions of the module, and `Class.method`s, that nothing calls any more."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._names = names
        self._classes: list[str] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._classes.append(node.name.value)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        del original_node
        self._classes.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        del node
        return False

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        del original_node
        name = ".".join([*self._classes[-1:], updated_node.name.value])
        return gone(updated_node) if name in self._names else updated_node


def _visited(module: cst.Module, visitor: cst.CSTTransformer) -> cst.Module:
    changed = module.visit(visitor)
    return changed if isinstance(changed, cst.Module) else module


class _Lines(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, kind: type[cst.Name]) -> None:
        super().__init__()
        self.lines: set[int] = set()
        self._kind = kind

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, self._kind):
            self.lines.add(self.get_metadata(PositionProvider, node).start.line)
        return True


def _lines(module: cst.Module, kind: type[cst.Name]) -> tuple[int, ...]:
    if not matchers.findall(module, matchers.MatchIfTrue(lambda node: isinstance(node, kind))):
        return ()
    visitor = _Lines(kind)
    MetadataWrapper(module).visit(visitor)
    return tuple(sorted(visitor.lines))


def _is_empty(module: cst.Module) -> bool:
    """Tell whether nothing but imports and a docstring is left."""
    return all(
        isinstance(line, cst.SimpleStatementLine) and all(_is_idle(small) for small in line.body)
        for line in module.body
    )


def _is_idle(statement: cst.BaseSmallStatement) -> bool:
    match statement:
        case cst.ImportFrom(names=names):
            # What all comes with a star may be tests.
            return not isinstance(names, cst.ImportStar)
        case cst.Expr(value=value):
            return isinstance(value, cst.BaseString)
    return isinstance(statement, cst.Import)
