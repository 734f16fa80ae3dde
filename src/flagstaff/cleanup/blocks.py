"""Which statements of a block stay, and how do they close up?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import libcst as cst

from flagstaff.cleanup.comments import (
    begins_apart,
    heading,
    without_first_blanks,
    without_speaking,
)
from flagstaff.cleanup.conditions import Decided, decide, is_pure, negated, simplify
from flagstaff.cleanup.markers import (
    Gone,
    Statement,
    gone,
    has_comment,
    is_emptied,
    is_gone,
    leading_lines,
    parses_alone,
    with_leading,
)

_Lines: TypeAlias = tuple[cst.EmptyLine, ...]
_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)


@dataclass(frozen=True, slots=True)
class Part:
    """What one statement became, and the comments that stood at the end of its body."""

    statements: tuple[Statement, ...]
    footer: _Lines = ()


def fold_block(
    original: cst.IndentedBlock, updated: cst.IndentedBlock, flag: str
) -> cst.IndentedBlock:
    """Resolve the decided statements of a block, and cut what they made unreachable."""
    part = _folded(_body_of(original), _body_of(updated), flag)
    if part is None:
        return updated
    body = part.statements or (gone(),)
    return updated.with_changes(body=body, footer=(*part.footer, *updated.footer))


def fold_module(original: cst.Module, updated: cst.Module, flag: str) -> cst.Module:
    """Resolve the decided statements of a module, and cut what they made unreachable."""
    part = _folded(_body_of(original), _body_of(updated), flag)
    if part is None:
        return updated
    return updated.with_changes(body=part.statements, footer=(*part.footer, *updated.footer))


def _folded(before: Sequence[Statement], after: Sequence[Statement], flag: str) -> Part | None:
    """Return the statements that stay and the comments left over, `None` if nothing changes."""
    out: list[Statement] = []
    waiting: _Lines = ()
    headed: _Lines = ()
    changed = vanished = False
    for old, new in zip(before, after, strict=True):
        part = _fold(new, flag)
        changed = changed or part.statements != (new,)
        statements = list(part.statements)
        if statements and not out and statements[0] is not new:
            statements[0] = _first(statements[0], new)
        headed = _still(headed, old, new)
        statements = _close_up(statements, (*waiting, *headed), first=vanished and not out)
        vanished = vanished or not statements
        waiting = part.footer if statements else (*waiting, *_gap(new, waiting))
        headed = () if statements else headed or _heading(old, new, flag)
        out += statements
        if out and statements and terminates(out[-1]) and not terminates(old):
            changed = changed or new is not after[-1]
            break
    footer = tuple(line for line in waiting if line.comment is not None)
    return Part(tuple(out), footer) if changed else None


def _heading(old: Statement, new: Statement, flag: str) -> _Lines:
    """Return the comment above a statement that vanished, if it is about those below as well."""
    return heading(leading_lines(new), flag) if is_gone(old) or _gives_name(old) else ()


def _still(headed: _Lines, old: Statement, new: Statement) -> _Lines:
    """Return what heads a statement too, of a comment that headed those above it."""
    goes_on = is_gone(old) or _gives_name(old)
    return headed if goes_on and not begins_apart(leading_lines(new)) else ()


def _gives_name(statement: Statement) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.Assign() | cst.AnnAssign()]):
            return True
    return False


def _first(statement: Statement, place: Statement) -> Statement:
    """Return what a block begins with now, no further down than what it began with."""
    lines = leading_lines(statement)
    return (
        statement
        if begins_apart(leading_lines(place))
        else with_leading(statement, without_first_blanks(lines))
    )


def _body_of(block: cst.IndentedBlock | cst.Module) -> Sequence[Statement]:
    return cast("Sequence[Statement]", block.body)


def fold_suite(suite: cst.SimpleStatementSuite) -> cst.SimpleStatementSuite:
    """Drop what is gone from a body on the line of its header."""
    kept = _without_gone(suite.body)
    if len(kept) == len(suite.body) or (not kept and len(suite.body) == 1):
        return suite
    return suite.with_changes(body=kept or [Gone()])


def terminates(statement: cst.CSTNode) -> bool:
    """Tell whether nothing after this statement in its block can run."""
    match statement:
        case cst.SimpleStatementLine(body=[*_, last]):
            return isinstance(last, _LEAVING)
        case cst.If(orelse=orelse) if orelse is not None:
            return _body_terminates(statement.body) and (
                terminates(orelse) if isinstance(orelse, cst.If) else _body_terminates(orelse.body)
            )
    return False


def _body_terminates(body: cst.BaseSuite) -> bool:
    match body:
        case cst.SimpleStatementSuite(body=[*_, last]):
            return isinstance(last, _LEAVING)
        case cst.IndentedBlock(body=[*_, last]):
            return terminates(last)
    return False


def _fold(statement: Statement, flag: str) -> Part:
    if is_gone(statement):
        return Part(())
    match statement:
        case cst.SimpleStatementLine():
            kept = _without_gone(statement.body)
            if len(kept) == len(statement.body):
                return Part((statement,))
            return Part((statement.with_changes(body=kept),) if kept else ())
        case cst.While() if (decided := decide(statement.test)) and not decided.truth:
            part = _spliced(statement, statement.orelse.body if statement.orelse else None, flag)
            return _after_effect(statement, decided, part, flag)
        case cst.If():
            return _fold_if(statement, flag)
    return Part((statement,))


def _fold_if(statement: cst.If, flag: str) -> Part:
    decided = decide(statement.test)
    if decided is None:
        return _fold_open(statement)
    if decided.truth:
        part = _spliced(statement, statement.body, flag)
    else:
        part = _fold_else(statement, flag)
    return _after_effect(statement, decided, part, flag)


def _after_effect(statement: Statement, decided: Decided, part: Part, flag: str) -> Part:
    """Put what a decided condition must still run above what it led to."""
    if decided.effect is None:
        return part
    effect = with_leading(_effect(decided.effect), without_speaking(leading_lines(statement), flag))
    rest = list(part.statements)
    if rest:
        already = leading_lines(effect)
        lines = [line for line in leading_lines(rest[0]) if line not in already]
        rest[0] = with_leading(rest[0], lines)
    return Part((effect, *rest), part.footer)


def _fold_else(statement: cst.If, flag: str) -> Part:
    match statement.orelse:
        case cst.If() as other:
            lines = (*leading_lines(statement), *leading_lines(other))
            return _fold_if(other.with_changes(leading_lines=lines), flag)
        case cst.Else() as other:
            lines = (*leading_lines(statement), *leading_lines(other))
            return _spliced(statement.with_changes(leading_lines=lines), other.body, flag)
    return Part(())


def _fold_open(statement: cst.If) -> Part:
    """Fold what follows an open condition, and drop the branches the clean-up emptied."""
    folded = statement.with_changes(orelse=_fold_orelse(statement.orelse))
    if not is_emptied(folded.body):
        return Part((statement if folded.orelse is statement.orelse else folded,))
    match folded.orelse:
        case None if is_pure(folded.test):
            return Part(())
        case None:
            return Part((with_leading(_effect(folded.test), leading_lines(folded)),))
        case cst.Else() as other:
            turned = folded.with_changes(test=negated(folded.test), body=other.body, orelse=None)
            return Part((_spaced(turned),))
    return Part((folded,))


def _spaced(statement: cst.If) -> cst.If:
    """Keep `if` apart from a condition that lost its parentheses."""
    if statement.whitespace_before_test.empty:
        return statement.with_changes(whitespace_before_test=cst.SimpleWhitespace(" "))
    return statement


def _fold_orelse(orelse: cst.If | cst.Else | None) -> cst.If | cst.Else | None:
    match orelse:
        case cst.Else():
            return None if is_emptied(orelse.body) else orelse
        case cst.If():
            return _fold_elif(orelse)
    return None


def _fold_elif(orelse: cst.If) -> cst.If | cst.Else | None:
    decided = decide(orelse.test)
    rest = _fold_orelse(orelse.orelse)
    if decided is None:
        if rest is None and is_emptied(orelse.body) and is_pure(orelse.test):
            return None
        return orelse if rest is orelse.orelse else orelse.with_changes(orelse=rest)
    body: Sequence[Statement] = ()
    if decided.truth:
        body = () if is_emptied(orelse.body) else _statements(orelse.body)
    elif decided.effect is None:
        return rest
    elif rest is not None:
        body = (rest,) if isinstance(rest, cst.If) else _statements(rest.body)
    if decided.effect is not None:
        body = (_effect(decided.effect), *body)
    if not body:
        return None
    block = orelse.body if isinstance(orelse.body, cst.IndentedBlock) else cst.IndentedBlock([])
    return cst.Else(body=block.with_changes(body=body), leading_lines=orelse.leading_lines)


def _statements(body: cst.BaseSuite) -> Sequence[Statement]:
    if isinstance(body, cst.SimpleStatementSuite):
        return (cst.SimpleStatementLine(body.body, trailing_whitespace=body.trailing_whitespace),)
    return cast("Sequence[Statement]", body.body)


def _spliced(statement: Statement, body: cst.BaseSuite | None, flag: str) -> Part:
    """Return the statements of a body to stand in the place of the statement around it."""
    lines = without_speaking(leading_lines(statement), flag)
    if body is None or is_emptied(body):
        return Part(())
    first, *rest = _statements(body)
    own = tuple(leading_lines(first))
    if lines or not isinstance(first, cst.FunctionDef | cst.ClassDef):
        # The blank lines below the head of the block were its own.
        own = without_first_blanks(own)
    first = with_leading(first, (*lines, *own))
    footer = body.footer if isinstance(body, cst.IndentedBlock) else ()
    return Part((first, *rest), tuple(footer) if has_comment(footer) else ())


def _without_gone(body: Sequence[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement]:
    kept = [small for small in body if not isinstance(small, Gone)]
    if kept and len(kept) < len(body):
        kept[-1] = kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
    return kept


def _effect(value: cst.BaseExpression) -> cst.SimpleStatementLine:
    plain = simplify(value, tidy=False)
    if not parses_alone(plain):
        plain = plain.with_changes(
            lpar=[cst.LeftParen(), *plain.lpar], rpar=[*plain.rpar, cst.RightParen()]
        )
    return cst.SimpleStatementLine([cst.Expr(plain)])


def _gap(vanished: Statement, waiting: _Lines) -> _Lines:
    """Return the blank lines which a vanished statement leaves to its successor."""
    if any(line.comment is None for line in waiting):
        return ()
    lines = leading_lines(vanished)
    return tuple(itertools.takewhile(lambda line: line.comment is None, lines))


def _close_up(statements: list[Statement], waiting: _Lines, *, first: bool) -> list[Statement]:
    """Give the first of the statements what was waiting above it."""
    if not statements:
        return statements
    own = tuple(leading_lines(statements[0]))
    if waiting and own and own[0].comment is None and not has_comment(waiting):
        waiting = ()
    lines = (*waiting, *own)
    if first:
        lines = without_first_blanks(lines)
    if lines != own:
        statements[0] = with_leading(statements[0], lines)
    return statements
