"""What does an expression say once one of its operands is decided?"""

from __future__ import annotations

import re

from ast_grep_py import SgNode

from flagstaff.cleanup.scripts.asking import asks_for_some_flag, last_name
from flagstaff.cleanup.scripts.elements import (
    beside_name,
    in_container,
    on_one_row,
    without_element,
)
from flagstaff.cleanup.scripts.names import Scope, is_written
from flagstaff.cleanup.scripts.source import (
    FALSE,
    GONE,
    TRUE,
    Change,
    Edit,
    marker,
    meaningful,
    replace,
    same,
    span,
)

_CASTS = {"as_expression", "satisfies_expression", "non_null_expression", "type_assertion"}
_TESTED = {"if_statement", "while_statement", "do_statement", "for_statement", "ternary_expression"}
_HEADS = {"if_statement", "while_statement", "do_statement", "switch_statement", "with_statement"}
_LITERALS = {"number", "string", "true", "false", "null", "undefined", "this", "regex"}
_PURE = {
    *("identifier", "member_expression", "subscript_expression", "parenthesized_expression"),
    *("binary_expression", "unary_expression", "ternary_expression", "property_identifier"),
    *("private_property_identifier", "optional_chain", "string_fragment", "escape_sequence"),
    *("non_null_expression", "undefined", *_LITERALS),
}
_COMPARING = {"==", "===", "!=", "!==", "<", ">", "<=", ">=", "in", "instanceof"}
_NEGATED = {"===": "!==", "!==": "===", "==": "!=", "!=": "=="}
_ATOMS = {"identifier", "true", "false", "null", "undefined", "this", "string"}
_TIGHT = {"member_expression", "subscript_expression", "call_expression", "template_string"}
_GRIPPING = {"call_expression", "new_expression", "member_expression", "subscript_expression"}
_OPENING = re.compile(r"[\[(`/+-]")
_CLAUSES = re.compile(r"\{|(?:async\s+)?function\b|class\b|let\s*\[")
_NESTING = {
    *("if_statement", "else_clause", "for_statement", "for_in_statement", "while_statement"),
    *("labeled_statement", "with_statement"),
}
_CLOSED = {
    *("statement_block", "try_statement", "switch_statement", "do_statement"),
    *("function_declaration", "generator_function_declaration", "class_declaration"),
}
_CONTAINERS = {"jsx_expression", "spread_element", "template_substitution"}
_WIDE = 76
_HOOKS = re.compile(r"use[A-Z]")


def settled(node: SgNode, answer: str) -> Change | None:
    """Return what the expression around an answer becomes, `None` if that stays."""
    parent = node.parent()
    if parent is None:
        return None
    truth = answer == TRUE
    match parent.kind():
        case "parenthesized_expression" if len(parent.named_children()) == 1:
            around = parent.parent()
            if around is not None and around.kind() not in _HEADS:
                return (replace(parent, answer),)
        case "unary_expression" if _operator(parent) == "!":
            return put(parent, marker(truth=not truth))
        case "binary_expression":
            return _operation(parent, node, truth=truth)
        case "ternary_expression":
            return _choice(parent, node, truth=truth)
        case "await_expression":
            return put(parent, answer)
        case kind if kind in _CASTS:
            return put(parent, answer)
        case "arguments":
            call = parent.parent()
            callee = None if call is None else call.field("function")
            if callee is not None and call is not None and len(meaningful(parent)) == 1:
                return put(call, answer) if callee.text() == "Boolean" else None
        case "array":
            return _dependency(parent, node)
        case "jsx_expression":
            return in_container(parent, None)
        case "spread_element" if not truth and _is_in(parent, "object"):
            return (without_element(parent),)
    return None


def put(node: SgNode, kept: SgNode | str) -> Change | None:
    """Return what puts one of its operands in the place of an expression."""
    text = kept if isinstance(kept, str) else kept.text()
    kind = "identifier" if isinstance(kept, str) else kept.kind()
    parent = node.parent()
    while parent is not None and parent.kind() == "parenthesized_expression":
        around = parent.parent()
        if around is None or not _is_bare(kind, text, parent, around):
            break
        node, parent = parent, around
    if parent is None or _changes_this(node, parent, kind, text):
        return None
    if not isinstance(kept, str):
        holder = parent
        while holder.kind() == "parenthesized_expression" and len(holder.named_children()) == 1:
            holder = holder.parent() or holder
        inlined = in_container(holder, kept) if holder.kind() in _CONTAINERS else None
        if inlined is not None:
            return inlined
    joined = _joined(node, parent, text) or beside_name(node, parent, text)
    return (joined or replace(node, _standing(node, text)),)


def _joined(node: SgNode, around: SgNode, text: str) -> Edit | None:
    """Put on one line what needed several only for what went."""
    head, text = around.parent(), on_one_row(text)
    spread = around.text().partition(node.text())
    if (
        "\n" in text
        or "\n" not in spread[0]
        or len(around.named_children()) != 1
        or head is None
        or not (around.kind() == "jsx_expression" or head.kind() in _HEADS)
    ):
        return None
    whole = head.get_root().root().text()
    place = whole.rfind("\n", 0, span(around)[0]) + 1
    line = whole[place : span(around)[0]] + text
    if len(line) > _WIDE:
        return None
    return replace(around, f"{spread[0][0]}{text}{spread[2][-1]}")


def is_pure(node: SgNode) -> bool:
    """Tell whether an operand can go without being missed: reading is no effect."""
    if node.kind() == "unary_expression" and _operator(node) == "delete":
        return False
    if node.kind() == "call_expression":
        return asks_for_some_flag(node)
    return node.kind() in _PURE and all(is_pure(child) for child in node.named_children())


def is_boolean(node: SgNode) -> bool:
    """Tell whether an expression is always true or false, and nothing like it."""
    match node.kind():
        case "true" | "false":
            return True
        case "identifier":
            return node.text() in {TRUE, FALSE}
        case "parenthesized_expression":
            return len(node.named_children()) == 1 and is_boolean(node.named_children()[0])
        case "unary_expression":
            return _operator(node) in {"!", "delete"}
        case "call_expression":
            return last_name(node) == "Boolean"
        case "binary_expression":
            if _operator(node) in _COMPARING:
                return True
            left, right = node.field("left"), node.field("right")
            if left is None or right is None or _operator(node) not in {"&&", "||"}:
                return False
            return is_boolean(left) and is_boolean(right)
    return False


def negated(node: SgNode) -> str:
    """Return the text of a condition that is true where this one is false."""
    inner = node
    while inner.kind() == "parenthesized_expression" and len(inner.named_children()) == 1:
        inner = inner.named_children()[0]
    operator = _operator(inner)
    if inner.kind() == "unary_expression" and operator == "!":
        argument = inner.field("argument")
        return inner.text() if argument is None else argument.text()
    if inner.kind() == "binary_expression" and operator in _NEGATED:
        left, right = inner.field("left"), inner.field("right")
        if left is not None and right is not None:
            return f"{left.text()} {_NEGATED[operator]} {right.text()}"
    if inner.kind() in {"identifier", "member_expression", "call_expression"}:
        return f"!{inner.text()}"
    return f"!({inner.text()})"


def in_condition(node: SgNode) -> bool:
    """Tell whether only the truth of an expression counts where it stands."""
    child, parent = node, node.parent()
    while parent is not None:
        match parent.kind():
            case "parenthesized_expression":
                pass
            case "unary_expression":
                return _operator(parent) == "!"
            case "binary_expression" if _operator(parent) in {"&&", "||"}:
                pass
            case "expression_statement":
                return True
            case "arguments":
                call = parent.parent()
                return call is not None and last_name(call) == "Boolean"
            case kind if kind in _TESTED:
                return same(parent.field("condition"), child)
            case _:
                return False
        child, parent = parent, parent.parent()
    return False


def _operation(node: SgNode, side: SgNode, *, truth: bool) -> Change | None:
    left, right, operator = node.field("left"), node.field("right"), _operator(node)
    if left is None or right is None:
        return None
    if operator in _NEGATED:
        other = right if same(left, side) else left
        if other.kind() in {"true", "false"}:
            equal = truth is (other.kind() == "true")
            return put(node, marker(truth=equal is (operator in {"==", "==="})))
        return None
    if operator not in {"&&", "||", "??"}:
        return None
    # `&&` ends with what is false, `||` with what is true, and `??` with either.
    ends = operator == "??" or truth is (operator == "||")
    if same(left, side):
        return put(node, marker(truth=truth) if ends else right)
    if operator == "??":
        return None
    if not ends:
        neutral = is_boolean(left) or _is_asked(node, operator)
        return put(node, left) if neutral or _is_asked_by_name(node, operator) else None
    if is_pure(left) and (in_condition(node) or is_boolean(left) or _is_drawn(node, left)):
        return put(node, marker(truth=truth))
    _, parent = _around(node)
    if parent is not None and _is_first_of(node, operator):
        # Nothing behind it is ever reached.
        return put(parent, node)
    around = node.parent()
    if around is not None and around.kind() == "expression_statement":
        return put(node, left)
    return None


def _choice(node: SgNode, side: SgNode, *, truth: bool) -> Change | None:
    test, yes, no = (node.field(name) for name in ("condition", "consequence", "alternative"))
    if test is None or yes is None or no is None:
        return None
    if same(test, side):
        return put(node, yes if truth else no)
    if {yes.text(), no.text()} != {TRUE, FALSE} or not (in_condition(node) or is_boolean(test)):
        return None
    if yes.text() == TRUE:
        return put(node, test)
    return (replace(node, negated(test)),)


def _dependency(array: SgNode, node: SgNode) -> Change | None:
    """Take an answer out of the list of what a hook of React depends on."""
    arguments = array.parent()
    call = None if arguments is None else arguments.parent()
    if arguments is None or call is None or arguments.kind() != "arguments":
        return None
    given = meaningful(arguments)
    is_hook = call.kind() == "call_expression" and _HOOKS.match(last_name(call))
    if not is_hook or len(given) < 2 or not same(given[-1], array):  # noqa: PLR2004
        return None
    return (without_element(node),)


def _is_asked(node: SgNode, operator: str) -> bool:
    """Tell whether only the truth counts of what `operator` makes of something and its neutral.

    Where the same operator goes on behind it, the one value is passed on, and the other is not.
    """
    return in_condition(node) or _is_first_of(node, operator)


def _is_asked_by_name(node: SgNode, operator: str) -> bool:
    """Tell whether an expression is the value of a variable of which only the truth counts."""
    child, parent = _around(node)
    if parent is None or parent.kind() != "variable_declarator":
        return False
    name, scope = parent.field("name"), Scope.of(parent, node.get_root().root())
    if name is None or name.kind() != "identifier" or scope is None or scope.is_exported:
        return False
    uses = scope.uses(name)
    return same(parent.field("value"), child) and all(
        not is_written(use) and _is_asked(use, operator) for use in uses
    )


def _around(node: SgNode) -> tuple[SgNode, SgNode | None]:
    """Return what is around an expression and the parentheses that it stands in."""
    child, parent = node, node.parent()
    while parent is not None and parent.kind() == "parenthesized_expression":
        child, parent = parent, parent.parent()
    return child, parent


def _is_first_of(node: SgNode, operator: str) -> bool:
    """Tell whether the same operator goes on behind an operation."""
    child, parent = _around(node)
    return (
        parent is not None
        and parent.kind() == "binary_expression"
        and _operator(parent) == operator
        and same(parent.field("left"), child)
    )


def _is_drawn(node: SgNode, left: SgNode) -> bool:
    """Tell whether an element of a page is only left out where something reads as a question."""
    parent = node.parent()
    around = None if parent is None else parent.parent()
    if parent is None or around is None or parent.kind() != "jsx_expression":
        return False
    return around.kind() == "jsx_element" and bool(
        re.match(r"_?(?:is|has|can|should|show|was|will)[A-Z_]", last_name(left))
    )


def _operator(node: SgNode) -> str:
    operator = node.field("operator")
    return "" if operator is None else operator.text()


def _is_in(node: SgNode, kind: str) -> bool:
    parent = node.parent()
    return parent is not None and parent.kind() == kind


def _is_bare(kind: str, text: str, parens: SgNode, around: SgNode) -> bool:
    """Tell whether parentheses around what is left can go."""
    if around.kind() in _HEADS or len(parens.named_children()) != 1:
        return False
    if "\n" in text or "\n" in parens.text().partition(text)[0]:
        return False
    if kind == "parenthesized_expression" or kind in _ATOMS:
        return True
    gripped = around.kind() in _GRIPPING and not same(around.field("index"), parens)
    return kind in _TIGHT and "?." not in text and not gripped


def _changes_this(node: SgNode, parent: SgNode, kind: str, text: str) -> bool:
    """Tell whether a function would be called with another `this`."""
    while parent.kind() == "parenthesized_expression":
        around = parent.parent()
        if around is None:
            return False
        node, parent = parent, around
    called = parent.kind() == "call_expression" and same(parent.field("function"), node)
    kinds = {"member_expression", "subscript_expression", "parenthesized_expression"}
    return called and (kind in kinds or text == "eval")


def _standing(node: SgNode, text: str) -> str:
    """Return a text so that it can stand where a statement, or the body of an arrow, begins."""
    start, child, parent = span(node)[0], node, node.parent()
    while parent is not None and span(parent)[0] == start:
        if parent.kind() == "expression_statement":
            if _CLAUSES.match(text):
                return f"({text})" if not glued(parent, "(") else f";({text})"
            return f";{text}" if glued(parent, text) else text
        child, parent = parent, parent.parent()
    if parent is None:
        return text
    body = parent.kind() == "arrow_function" and same(parent.field("body"), child)
    if body and text.startswith("{"):
        return f"({text})"
    if parent.kind() == "export_statement" and _CLAUSES.match(text):
        return f"({text})"
    return text


def glued(statement: SgNode, text: str) -> bool:
    """Tell whether a statement that begins with `text` would go on the one before it."""
    before = statement.prev()
    # What is gone already is taken out in the same round of changes.
    while before is not None and (before.kind() == "comment" or before.text() == f"{GONE};"):
        before = before.prev()
    if before is None or not before.is_named() or not _OPENING.match(text):
        return False
    return _is_open(before)


def _is_open(statement: SgNode) -> bool:
    """Tell whether the next line could still belong to a statement."""
    inner = meaningful(statement)
    if statement.kind() in _NESTING and inner:
        return _is_open(inner[-1])
    if statement.kind() == "export_statement" and inner and inner[-1].kind() in _CLOSED:
        return False
    return statement.kind() not in _CLOSED and not statement.text().endswith(";")
