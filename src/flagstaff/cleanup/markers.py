"""Which nodes of a syntax tree are ours: what is decided, and what is gone?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import libcst as cst

Statement: TypeAlias = cst.SimpleStatementLine | cst.BaseCompoundStatement
_Node = TypeVar("_Node", bound=cst.BaseExpression)

_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.BaseString, cst.List, cst.Dict)


class Known(cst.Name):
    """A `True` or `False` that stands for the flag's answer, unlike one a person wrote."""

    def _visit_and_replace_children(self, visitor: cst.CSTVisitorT) -> Known:
        del visitor
        return self

    @property
    def truth(self) -> bool:
        """Return the answer."""
        return self.value == "True"


class Unpinned(cst.Name):
    """The name of a test that gave the flag the answer that goes around a part of it."""

    def _visit_and_replace_children(self, visitor: cst.CSTVisitorT) -> Unpinned:
        del visitor
        return self


class Gone(cst.Pass):
    """A statement to be swept away; it stays as `pass` only where a body would be empty."""

    def _visit_and_replace_children(self, visitor: cst.CSTVisitorT) -> Gone:
        del visitor
        return self


def known(*, truth: bool) -> Known:
    """Return a fresh marker."""
    return Known(str(truth))


def gone(statement: Statement | None = None) -> cst.SimpleStatementLine:
    """Return a fresh statement to be swept away, with the blank lines of the old one."""
    leading = () if statement is None else leading_lines(statement)
    return cst.SimpleStatementLine([Gone()], leading_lines=leading)


def is_gone(statement: cst.CSTNode) -> bool:
    """Tell whether nothing of a statement is left."""
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(small, Gone) for small in statement.body
    )


def is_emptied(body: cst.BaseSuite) -> bool:
    """Tell whether the clean-up took everything out of a body."""
    if isinstance(body, cst.SimpleStatementSuite):
        return all(isinstance(small, Gone) for small in body.body)
    return all(is_gone(statement) for statement in body.body)


def leading_lines(statement: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    """Return the blank lines and comments above a statement."""
    lines: Sequence[cst.EmptyLine] = getattr(statement, "leading_lines", ())
    return lines


def with_leading(statement: Statement, lines: Sequence[cst.EmptyLine]) -> Statement:
    """Return the statement under other blank lines and comments."""
    changed: Statement = statement.with_changes(leading_lines=tuple(lines))
    return changed


def has_comment(lines: Sequence[cst.EmptyLine]) -> bool:
    """Tell whether there is a comment among the lines."""
    return any(line.comment is not None for line in lines)


def unwrapped(outer: cst.BaseExpression, inner: _Node, *, tidy: bool) -> _Node:
    """Return `inner` to stand where `outer` stood, within the parentheses it needs there.

    Without `tidy` the parentheses of `outer` always stay, which is safe in `return(x)`.
    """
    if not outer.lpar or inner is outer:
        return inner
    bare = isinstance(inner, _ATOMS) or bool(inner.lpar)
    if tidy and bare and "#" not in _code(outer) and parses_alone(inner):
        return inner
    wrapped: _Node = inner.with_changes(
        lpar=[*outer.lpar, *inner.lpar], rpar=[*inner.rpar, *outer.rpar]
    )
    return wrapped


def parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return the expression in parentheses, unless it has them or needs none."""
    if node.lpar or isinstance(node, (*_ATOMS, cst.UnaryOperation)):
        return node
    changed: cst.BaseExpression = node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return changed


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def parses_alone(node: cst.BaseExpression) -> bool:
    """Tell whether an expression needs no parentheses around it to span its lines."""
    try:
        cst.parse_expression(_code(node))
    except cst.ParserSyntaxError:
        return False
    return True
