"""Which imports and names did only the removed code use?"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from flagstaff.cleanup.conditions import is_pure
from flagstaff.cleanup.literals import without_names
from flagstaff.cleanup.markers import Gone, gone

# A function that calls itself does so in a few places.
_FEW = 8
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_PLAIN_BASES = {"object", "Exception", "ValueError", "RuntimeError", "Protocol", "NamedTuple"}


@dataclass(frozen=True, slots=True)
class Uses:
    """How often each name is read, and how often it is bound other than by an import."""

    read: Counter[str]
    bound: Counter[str]


@dataclass(frozen=True, slots=True)
class Start:
    """What was in use before the clean-up."""

    whole: Uses
    own_only: frozenset[str]

    @classmethod
    def of(cls, module: cst.Module) -> Start:
        """Count what a module uses."""
        whole = uses(module)
        return cls(whole, _own_only(module, whole))


def drop_unused(before: Start, after: cst.Module, keeps: Callable[[str], bool]) -> cst.Module:
    """Drop imports, and module-level names, that were used `before` and no longer are.

    `keeps` tells whether other files use a name of this one.
    """
    new = uses(after)
    lost = {name for name, count in before.whole.read.items() if count and not new.read[name]}
    lost |= _own_only(after, new) - before.own_only
    if not lost:
        return after
    imported = {name for name in lost if not new.bound[name]}
    dropper = _Dropper(imported, lost, keeps)
    module = after.visit(dropper)
    return module if dropper.dropped and isinstance(module, cst.Module) else after


def uses(node: cst.CSTNode) -> Uses:
    """Count the uses of names within a node."""
    visitor = _Uses()
    node.visit(visitor)
    return Uses(visitor.read, visitor.bound)


def _own_only(module: cst.Module, whole: Uses) -> frozenset[str]:
    """Return the functions and classes which nothing but themselves uses."""
    return frozenset(
        s.name.value
        for s in module.body
        if isinstance(s, cst.FunctionDef | cst.ClassDef)
        and whole.read[s.name.value] < _FEW
        and whole.read[s.name.value] == uses(s.body).read[s.name.value]
    )


class _Uses(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[str] = Counter()
        self.bound: Counter[str] = Counter()

    def visit_Name(self, node: cst.Name) -> None:
        self.read[node.value] += 1

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Import(self, node: cst.Import) -> bool:
        del node
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        del node
        return False

    def visit_FunctionDef_name(self, node: cst.FunctionDef) -> None:
        self._binds(node.name)

    def visit_ClassDef_name(self, node: cst.ClassDef) -> None:
        self._binds(node.name)

    def visit_Param_name(self, node: cst.Param) -> None:
        self._binds(node.name)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._binds(node.target)

    def visit_AnnAssign_target(self, node: cst.AnnAssign) -> None:
        self._binds(node.target)

    def visit_Expr(self, node: cst.Expr) -> bool:
        return not isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        # `__all__`, annotations in quotes, names for `getattr`.
        self.read.update(_WORD.findall(node.raw_value))

    def _binds(self, node: cst.CSTNode) -> None:
        """Count a binding, and take back the reading which the visit of its name will count."""
        if isinstance(node, cst.Name):
            self.bound[node.value] += 1
            self.read[node.value] -= 1


class _Dropper(cst.CSTTransformer):
    def __init__(self, imported: set[str], lost: set[str], keeps: Callable[[str], bool]) -> None:
        super().__init__()
        self._imported = imported
        self._lost = lost
        self._keeps = keeps
        self._depth = 0
        self.dropped = False

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        del node
        self._depth += 1

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        del original_node
        self._depth -= 1
        return updated_node

    def leave_Import(
        self, original_node: cst.Import, updated_node: cst.Import
    ) -> cst.BaseSmallStatement:
        del original_node
        kept = self._kept(updated_node.names)
        if len(kept) == len(updated_node.names):
            return updated_node
        return updated_node.with_changes(names=kept) if kept else Gone()

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.BaseSmallStatement:
        del original_node
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        kept = self._kept(updated_node.names)
        if len(kept) == len(updated_node.names):
            return updated_node
        return updated_node.with_changes(names=kept) if kept else Gone()

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        del original_node
        if self._depth or updated_node.decorators or not self._goes(updated_node.name.value):
            return updated_node
        return gone(updated_node)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef | cst.SimpleStatementLine:
        del original_node
        # Other bases and keywords may register the class somewhere.
        plain = not updated_node.keywords and not updated_node.decorators
        plain = plain and all(
            isinstance(base.value, cst.Name) and base.value.value in _PLAIN_BASES
            for base in updated_node.bases
        )
        if self._depth or not plain or not self._goes(updated_node.name.value):
            return updated_node
        return gone(updated_node)

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                if not self._depth and is_pure(value) and self._goes(name):
                    return Gone()
        return updated_node

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node:
            case cst.AnnAssign(target=cst.Name(value=name), value=value) if value is not None:
                if not self._depth and is_pure(value) and self._goes(name):
                    return Gone()
        return updated_node

    def _goes(self, name: str) -> bool:
        # A dunder such as `__all__` is read by Python itself.
        goes = name in self._lost and not name.startswith("__") and not self._keeps(name)
        self.dropped = self.dropped or goes
        return goes

    def _kept(self, names: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
        kept = without_names(names, [self._unused(alias) for alias in names])
        self.dropped = self.dropped or len(kept) < len(names)
        return kept

    def _unused(self, alias: cst.ImportAlias) -> bool:
        name = alias.evaluated_alias or alias.evaluated_name.partition(".")[0]
        return name in self._imported and not self._keeps(name)
