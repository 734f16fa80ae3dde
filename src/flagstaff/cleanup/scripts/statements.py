"""What do the statements say around a condition that is decided, or a statement that is gone?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ast_grep_py import SgNode

from flagstaff.cleanup.patterns import spelled
from flagstaff.cleanup.scripts.expressions import glued, is_pure, negated
from flagstaff.cleanup.scripts.names import declared
from flagstaff.cleanup.scripts.source import (
    FALSE,
    GONE,
    TRUE,
    Change,
    Edit,
    alone,
    indent_at,
    meaningful,
    moved,
    replace,
    same,
    span,
)

_SHORTHANDS = ("shorthand_property_identifier", "shorthand_property_identifier_pattern")
_LISTS = {"program", "statement_block", "switch_case", "switch_default"}
_ENDING = {"return_statement", "throw_statement", "break_statement", "continue_statement"}
_NAMES = {"identifier", "type_identifier", *_SHORTHANDS}
_FUNCTIONS = {"function_declaration", "generator_function_declaration"}


def folded(node: SgNode, answer: str, flag: str) -> Change | None:
    """Return what the statement becomes whose condition is an answer."""
    parent = node.parent()
    if parent is None:
        return None
    if parent.kind() == "expression_statement":
        return (replace(parent, f"{GONE};"),)
    statement = parent.parent()
    if parent.kind() != "parenthesized_expression" or statement is None:
        return None
    if statement.kind() == "while_statement" and answer == FALSE:
        return (replace(statement, f"{GONE};"),)
    if statement.kind() == "if_statement":
        return _fold_if(statement, flag, truth=answer == TRUE)
    return None


def closed_up(marker: SgNode) -> Change | None:
    """Return what becomes of the place where a statement is gone."""
    statement = marker.parent()
    parent = None if statement is None else statement.parent()
    if statement is None or parent is None or statement.kind() != "expression_statement":
        return None
    if parent.kind() == "if_statement":
        return _emptied_branch(parent, statement)
    if parent.kind() == "else_clause":
        return (_without_else(parent),)
    if parent.kind() not in _LISTS:
        return (replace(statement, "{}"),)
    others = [each for each in meaningful(parent) if not same(each, statement)]
    around = parent.parent()
    if not others and around is not None and parent.kind() == "statement_block":
        if around.kind() == "if_statement":
            return _emptied_branch(around, parent)
        if around.kind() == "else_clause":
            return (_without_else(around),)
    return (_without_statement(statement),)


def _fold_if(statement: SgNode, flag: str, *, truth: bool) -> Change | None:
    parent = statement.parent()
    chosen = _body(statement, truth=truth)
    if parent is None:
        return None
    if parent.kind() == "else_clause":
        return (_without_else(parent),) if chosen is None else (replace(statement, chosen.text()),)
    if chosen is None or (chosen.kind() == "statement_block" and not chosen.named_children()):
        return (replace(statement, f"{GONE};"),)
    if parent.kind() not in _LISTS:
        return (replace(statement, chosen.text()),)
    start, end = _with_comments(statement, flag), span(statement)[1]
    dead = _unreached(statement, chosen, parent)
    kept = [each for each in dead if each.kind() in _FUNCTIONS]
    text = _spliced(statement, chosen, parent, [each for each in dead if each not in kept])
    if dead:
        end = span(dead[-1])[1]
        indent = indent_at(statement.get_root().root().text(), start)
        text = f"\n\n{indent}".join([text, *(each.text() for each in kept)])
    return (Edit(start, end, text),)


def _unreached(statement: SgNode, chosen: SgNode, parent: SgNode) -> list[SgNode]:
    """Return the statements behind a branch that leaves the block they stand in."""
    if not _ends(chosen) or parent.kind() == "program":
        return []
    rest = [each for each in statement.next_all() if each.is_named()]
    return [] if any(_hoists(each) for each in rest) else rest


def _body(statement: SgNode, *, truth: bool) -> SgNode | None:
    if truth:
        return statement.field("consequence")
    clause = statement.field("alternative")
    inner = [] if clause is None else meaningful(clause)
    return inner[-1] if inner else None


def _spliced(statement: SgNode, chosen: SgNode, parent: SgNode, dead: Sequence[SgNode]) -> str:
    """Return the statements of a branch to stand where the whole statement stood."""
    root = statement.get_root().root()
    text = root.text()
    if chosen.kind() != "statement_block":
        inner = chosen.text()
        return f";{inner}" if glued(statement, inner) else inner
    scope = parent.parent() if parent.kind().startswith("switch_") else parent
    if scope is not None and _clash((statement, *dead), chosen, scope):
        return chosen.text()
    start, end = span(chosen)
    start, end = start + 1, end - 1
    first = re.compile(r"[ \t]*\r?\n").match(text, start)
    start = first.end() if first is not None else start
    indent = indent_at(text, span(statement)[0])
    # The first line counts as one to be moved as well.
    body = moved(root, start, end, indent) if first is None else _lines(root, start, end, indent)
    body = body.strip()
    if body and not meaningful(chosen):
        return body
    return f";{body}" if glued(statement, body) else body


def _lines(root: SgNode, start: int, end: int, indent: str) -> str:
    """Move lines that begin at `start`, the first of them too."""
    return moved(root, start - 1, end, indent)[1:]


def _clash(going: Sequence[SgNode], block: SgNode, scope: SgNode) -> bool:
    """Tell whether a name of a block means something else around it."""
    reaches = [span(each) for each in going]
    for name in set(declared(block)):
        for use in scope.find_all(regex=f"^{re.escape(name)}$"):
            if use.kind() in _NAMES and not any(a <= span(use)[0] < b for a, b in reaches):
                return True
        # Parameters share the scope of the function's body.
        owner = scope.parent()
        given = None if owner is None else (owner.field("parameters") or owner.field("parameter"))
        if given is not None and re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", given.text()):
            return True
    return False


def _ends(chosen: SgNode) -> bool:
    """Tell whether nothing is reached behind a statement."""
    if chosen.kind() in _ENDING:
        return True
    inner = meaningful(chosen) if chosen.kind() == "statement_block" else []
    return bool(inner) and _ends(inner[-1])


def _hoists(statement: SgNode) -> bool:
    """Tell whether a statement declares a name for more than the rest of its block."""
    kind = statement.kind()
    if kind in _FUNCTIONS or kind == "lexical_declaration":
        return statement.find(kind="variable_declaration") is not None and kind not in _FUNCTIONS
    return kind.endswith("_declaration") or (
        statement.find(kind="variable_declaration") is not None
    )


def _with_comments(statement: SgNode, flag: str) -> int:
    """Return where the comments begin right above a statement, if they speak of the flag."""
    text = statement.get_root().root().text()
    start, spoken = span(statement)[0], False
    reach, before = start, statement.prev()
    while before is not None and before.kind() == "comment":
        gap = text[span(before)[1] : reach]
        if gap.count("\n") > 1 or alone(text, *span(before)) is None:
            break
        spoken = spoken or spelled(flag).search(before.text()) is not None
        reach, before = span(before)[0], before.prev()
    return reach if spoken else start


def _emptied_branch(statement: SgNode, branch: SgNode) -> Change | None:
    """Return what becomes of an `if` whose first branch has nothing left."""
    test, clause = statement.field("condition"), statement.field("alternative")
    if test is None:
        return None
    if not same(statement.field("consequence"), branch):
        return (replace(branch, "{}"),)
    if clause is None:
        if is_pure(test):
            return (replace(statement, f"{GONE};"),)
        inner = meaningful(test)
        if len(inner) == 1 and inner[0].kind() in {"call_expression", "await_expression"}:
            call = inner[0].text()
            return (replace(statement, f";{call};" if glued(statement, call) else f"{call};"),)
        return (replace(branch, "{}"),)
    other = meaningful(clause)
    if other and other[-1].kind() == "statement_block":
        return (replace(statement, f"if ({negated(test)}) {other[-1].text()}"),)
    return (replace(branch, "{}"),)


def _without_else(clause: SgNode) -> Edit:
    before = clause.prev()
    start, end = span(clause)
    return Edit(start if before is None else span(before)[1], end)


def _without_statement(statement: SgNode) -> Edit:
    """Take a statement away, with the comments above it and the blank lines it leaves."""
    text = statement.get_root().root().text()
    start, end = span(statement)
    trail = statement.next()
    if trail is not None and trail.kind() == "comment" and "\n" not in text[end : span(trail)[0]]:
        end = span(trail)[1]
    before, after = statement.prev(), statement.next()
    while after is not None and after.kind() == "comment":
        after = after.next()
    if after is not None and after.is_named() and _would_glue(statement, after):
        return Edit(start, end, ";")
    while before is not None and before.kind() == "comment":
        close = text[span(before)[1] : start].count("\n") == 1
        if not close or alone(text, *span(before)) is None:
            break
        start, before = span(before)[0], before.prev()
    lines = alone(text, start, end)
    if lines is None:
        return Edit(start, end)
    first, last = lines
    above = text[:first].rstrip(" \t")
    opened = above.rstrip().endswith(("{", ":")) or not above.strip()
    if above.endswith(("\n\n", "\n\r\n")) or opened:
        blank = re.compile(r"(?:[ \t]*\r?\n)*").match(text, last)
        last = blank.end() if blank else last
    if re.compile(r"\s*(?:\}|$)").match(text, last):
        first = len(text[:first].rstrip()) + 1 if "\n" in text[:first] else first
        first = text.find("\n", first - 1) + 1 or first
    return Edit(first, last)


def _would_glue(statement: SgNode, after: SgNode) -> bool:
    return glued(statement, after.text())
