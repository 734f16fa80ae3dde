"""Which blocks of a test, run under the answer that goes, can go without being missed?

Such a block looks itself at what it does, and leaves nothing behind that is read after it.
"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from flagstaff.cleanup.answers import last_name
from flagstaff.cleanup.asking import parts

_LOOKING = frozenset({"assert", "raises", "expect", "fail", "should", "snapshot", "verify"})
_PRINTER = cst.Module([])


def looks(call: cst.Call) -> bool:
    """Tell whether a call of a test, such as `mock.assert_called()`, looks at what came of it."""
    return bool(parts(last_name(call.func)) & _LOOKING)


def contained(function: cst.FunctionDef, loses: Callable[[cst.With], bool]) -> frozenset[int]:
    """Return the `id`s of the blocks that `loses` is true of and that can go as they are.

    A block around nothing but such ones goes with them: `with raises(Error): with …: …`.
    """
    found: set[int] = set()
    steps = _Steps()
    function.body.visit(steps)
    for block, inside in steps.blocks:
        goes = loses(block) or _is_all(block, found)
        if not goes:
            goes = _is_around(block, loses) and _looks(block)
        if goes and _looks(block) and not _is_missed(steps.all, inside):
            found.add(id(block))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Step:
    """A name, or something of an object, that is read or bound."""

    text: str
    binds: bool


class _Steps(cst.CSTVisitor):
    """What a function reads and binds, in order, and its blocks, the inner ones first."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[_Step] = []
        self.blocks: list[tuple[cst.With, range]] = []
        self._begun: list[int] = []

    def visit_With(self, node: cst.With) -> None:
        del node
        self._begun.append(len(self.all))

    def leave_With(self, original_node: cst.With) -> None:
        self.blocks.append((original_node, range(self._begun.pop(), len(self.all))))

    def visit_Assign(self, node: cst.Assign) -> bool:
        # What is assigned is worked out before it is bound.
        node.value.visit(self)
        for each in node.targets:
            each.visit(self)
        return False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> bool:
        self._bind(node.target)
        return False

    def visit_AnnAssign(self, node: cst.AnnAssign) -> bool:
        if node.value is not None:
            node.value.visit(self)
        self._bind(node.target)
        return False

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._bind(node.target, reads=True)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> bool:
        node.value.visit(self)
        self._bind(node.target)
        return False

    def visit_AsName(self, node: cst.AsName) -> bool:
        self._bind(node.name)
        return False

    def visit_For(self, node: cst.For) -> None:
        self._bind(node.target)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._bind(node.name)

    def visit_ImportAlias(self, node: cst.ImportAlias) -> None:
        if node.asname is None:
            self._bind(node.name)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self.all.append(_Step(_PRINTER.code_for_node(node), binds=False))

    def visit_Name(self, node: cst.Name) -> None:
        self.all.append(_Step(node.value, binds=False))

    def _bind(self, target: cst.CSTNode, *, reads: bool = False) -> None:
        match target:
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                for each in elements:
                    self._bind(each.value)
            case cst.Name() | cst.Attribute():
                if reads:
                    target.visit(self)
                self.all.append(_Step(_PRINTER.code_for_node(target), binds=True))
            case cst.Subscript(value=value):
                # What was there before is still read with the rest of it.
                target.visit(self)
                self.all.append(_Step(_PRINTER.code_for_node(value), binds=True))


def _is_missed(steps: Sequence[_Step], inside: range) -> bool:
    """Tell whether what steps bind is read after them, before it is bound anew."""
    waiting = {steps[i].text for i in inside if steps[i].binds}
    for step in steps[inside.stop :]:
        if step.text in waiting:
            if not step.binds:
                return True
            waiting.discard(step.text)
    return False


def _looks(block: cst.With) -> bool:
    visitor = _Looks()
    block.visit(visitor)
    return visitor.found


class _Looks(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def visit_Assert(self, node: cst.Assert) -> None:
        del node
        self.found = True

    def visit_Call(self, node: cst.Call) -> None:
        self.found = self.found or looks(node)


def _is_all(block: cst.With, found: set[int]) -> bool:
    """Tell whether a block holds nothing but blocks that go."""
    return all(id(each) in found for each in block.body.body)


def _is_around(block: cst.With, loses: Callable[[cst.With], bool]) -> bool:
    """Tell whether a block holds nothing but ones of the answer that goes."""
    return all(isinstance(each, cst.With) and loses(each) for each in block.body.body)
