"""Which names only ever hold the flag's answer, or a handle on it?"""

# ruff: noqa: N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import (
    Access,
    Assignment,
    FunctionScope,
    GlobalScope,
    MetadataWrapper,
    ParentNodeProvider,
    Scope,
    ScopeProvider,
)

from flagstaff.cleanup.answers import Question
from flagstaff.cleanup.markers import Gone, Known, known

_LISTING = re.compile(r"\b(?:locals|vars|eval|exec|globals)\(")
_WITHOUT_STATEMENTS = (
    *(cst.BaseExpression, cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace),
    *(cst.Decorator, cst.Parameters, cst.EmptyLine, cst.Assign, cst.AnnAssign, cst.Expr),
)
Keeps = Callable[[str], bool]


def propagate(module: cst.Module, question: Question, keeps: Keeps) -> cst.Module:
    """Put the answer for every name that is assigned it once, and drop the assignment.

    `keeps` tells whether a name of the module is used by other files: its assignment stays.
    """
    finder = _Candidates(question)
    module.visit(finder)
    if not finder.found:
        return module
    wrapper = MetadataWrapper(module, unsafe_skip_copy=False)
    finder = _Candidates(question)
    wrapper.module.visit(finder)
    places = _Places(
        scopes=dict(wrapper.resolve(ScopeProvider)),
        parents=dict(wrapper.resolve(ParentNodeProvider)),
        # Where all names are taken together, one that is gone would be missed.
        listed=_LISTING.search(module.code) is not None,
    )
    edits: dict[cst.CSTNode, cst.CSTNode] = {}
    for target, statement, value in finder.found:
        edits |= places.edits(target, statement, value, (question, keeps))
    if not edits:
        return module
    return wrapper.module.visit(_Replacer(edits))


class _Candidates(cst.CSTVisitor):
    """Assignments of an answer or a handle to one plain name."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self.found: list[tuple[cst.Name, cst.CSTNode, cst.BaseExpression]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        # No statement is within an expression; this is asked of every node, pass after pass.
        return super().on_visit(node) and not isinstance(node, _WITHOUT_STATEMENTS)

    def visit_Assign(self, node: cst.Assign) -> None:
        match node.targets:
            case [cst.AssignTarget(target=cst.Name() as name)]:
                self._add(name, node, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if isinstance(node.target, cst.Name) and node.value is not None:
            self._add(node.target, node, node.value)

    def _add(self, name: cst.Name, node: cst.CSTNode, value: cst.BaseExpression) -> None:
        if isinstance(value, Known) or self._question.is_handle(value):
            self.found.append((name, node, value))


@dataclass(frozen=True, slots=True)
class _Places:
    scopes: dict[cst.CSTNode, Scope | None]
    parents: dict[cst.CSTNode, cst.CSTNode]
    listed: bool = False

    def edits(
        self,
        target: cst.Name,
        statement: cst.CSTNode,
        value: cst.BaseExpression,
        context: tuple[Question, Keeps],
    ) -> dict[cst.CSTNode, cst.CSTNode]:
        """Return what to replace by what for one assignment."""
        question, keeps = context
        scope = self.scopes.get(target)
        if not isinstance(scope, FunctionScope | GlobalScope):
            return {}
        accesses = self._accesses(scope, target, statement)
        if accesses is None:
            return {}
        edits: dict[cst.CSTNode, cst.CSTNode] = {}
        for access in accesses:
            if isinstance(value, Known) and not self._used(access.node):
                edits[access.node] = known(truth=value.truth)
            else:
                call = self._call(access.node)
                answer = question.handle_answer(call, target.value) if call else None
                if call is None or answer is None:
                    return {}
                edits[call] = known(truth=answer)
        shared = self.listed or (isinstance(scope, GlobalScope) and keeps(target.value))
        return edits if shared else {**edits, statement: Gone()}

    def _accesses(
        self, scope: Scope, target: cst.Name, statement: cst.CSTNode
    ) -> set[Access] | None:
        """Return all readings of a name, `None` unless all of them follow its one assignment."""
        assignments = list(scope[target.value])
        if len(assignments) != 1 or not isinstance(assignments[0], Assignment):
            return None
        accesses = set(assignments[0].references)
        line = self.parents[statement]
        block = self.parents[line]
        body = getattr(block, "body", ())
        start = next((i for i, entry in enumerate(body) if entry is line), None)
        if start is None or isinstance(block, cst.SimpleStatementSuite):
            return None
        later = set(body[start + 1 :])
        plain = all(
            isinstance(a.node, cst.Name) and self._within(a.node, later) and not self._deleted(a)
            for a in accesses
        )
        return accesses if plain else None

    def _within(self, node: cst.CSTNode, statements: set[cst.CSTNode]) -> bool:
        place: cst.CSTNode | None = node
        while place is not None and place not in statements:
            place = self.parents.get(place)
        return place is not None

    def _deleted(self, access: Access) -> bool:
        place: cst.CSTNode | None = self.parents.get(access.node)
        while isinstance(place, cst.Element | cst.Tuple | cst.BaseExpression):
            place = self.parents.get(place)
        return isinstance(place, cst.Del | cst.AugAssign)

    def _used(self, node: cst.CSTNode) -> bool:
        """Tell whether more is done with a name than a truth could take."""
        match self.parents.get(node):
            case cst.Attribute(value=used) | cst.Subscript(value=used) | cst.Call(func=used):
                return used is node
            case cst.For(iter=used) | cst.CompFor(iter=used):
                return used is node
        return False

    def _call(self, node: cst.CSTNode) -> cst.Call | None:
        parent = self.parents.get(node)
        if isinstance(parent, cst.Attribute) and parent.value is node:
            node, parent = parent, self.parents.get(parent)
        return parent if isinstance(parent, cst.Call) and parent.func is node else None


class _Replacer(cst.CSTTransformer):
    def __init__(self, edits: dict[cst.CSTNode, cst.CSTNode]) -> None:
        super().__init__()
        self._edits = edits

    def on_leave(  # type: ignore[override]  # LibCST types this per node
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode:
        return self._edits.get(original_node, updated_node)
