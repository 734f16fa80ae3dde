"""How does an element leave a list, a tuple, a set or a dictionary, with the comments above it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import libcst as cst

from flagstaff.cleanup.comments import begins_apart, heading

Literal: TypeAlias = cst.List | cst.Tuple | cst.Set | cst.Dict
_Literal = TypeVar("_Literal", cst.List, cst.Tuple, cst.Set, cst.Dict)
_Element: TypeAlias = cst.BaseElement | cst.BaseDictElement
_Appended = TypeVar("_Appended", cst.Arg, cst.BaseDictElement)
_Part = TypeVar("_Part", cst.BaseElement | cst.BaseDictElement, cst.ImportAlias)


def without(node: _Literal, doomed: Sequence[bool]) -> _Literal:
    """Return the literal without the elements marked in `doomed`.

    The blank space before an element, with its comments, hangs on the comma or bracket before it.
    """
    before: cst.BaseParenthesizableWhitespace | None = _opening(node)
    kept: list[_Element] = []
    last = node.elements[-1] if node.elements else None
    for element, goes in zip(node.elements, doomed, strict=True):
        after = _space_after(element)
        if not goes:
            kept.append(element)
            before = after
            continue
        before = space = _headed(before, after, _joined(before, after), alone=element is last)
        if kept:
            kept[-1] = _with_comma(kept[-1], element, space)
        else:
            node = _with_opening(node, space)
    if not kept and isinstance(node, cst.Set):
        # `{}` would be a dictionary.
        return node
    changed: _Literal = node.with_changes(elements=kept)
    return _tight(changed) if not kept else changed


def appended(
    parts: Sequence[_Appended], new: _Appended, opening: cst.BaseParenthesizableWhitespace
) -> list[_Appended]:
    """Return the parts with one more, that stands as they do: beside them, or on a line of its own.

    `opening` is the blank space before the first.
    """
    if not parts:
        return [new]
    *before, last = parts
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if before and isinstance(before[-1].comma, cst.Comma):
        comma = before[-1].comma
    elif isinstance(opening, cst.ParenthesizedWhitespace):
        comma = cst.Comma(whitespace_after=opening)
    return [*before, last.with_changes(comma=comma), new.with_changes(comma=last.comma)]


def like(node: cst.BaseExpression, text: str) -> cst.SimpleString:
    """Return a literal in the quotes of another."""
    quote = node.quote if isinstance(node, cst.SimpleString) else '"'
    return cst.SimpleString(f"{quote}{text}{quote}")


def without_names(
    names: Sequence[cst.ImportAlias], doomed: Sequence[bool]
) -> list[cst.ImportAlias]:
    """Return the names of an import without the doomed ones; comments behind the others stay."""
    kept: list[cst.ImportAlias] = []
    for name, goes in zip(names, doomed, strict=True):
        if not goes:
            kept.append(name)
        elif kept:
            space = _joined(_space_after(kept[-1]), _space_after(name))
            kept[-1] = _with_comma(kept[-1], name, space)
    return kept


def without_arguments(call: cst.Call, doomed: Sequence[bool]) -> cst.Call:
    """Return the call without the arguments marked in `doomed`."""
    kept = [arg for arg, goes in zip(call.args, doomed, strict=True) if not goes]
    if kept and doomed[-1]:
        # What stood behind the last one closes the call.
        last = call.args[-1]
        kept[-1] = kept[-1].with_changes(
            comma=last.comma, whitespace_after_arg=last.whitespace_after_arg
        )
    return call.with_changes(args=kept)


def _opening(node: Literal) -> cst.BaseParenthesizableWhitespace:
    match node:
        case cst.List():
            return node.lbracket.whitespace_after
        case cst.Set() | cst.Dict():
            return node.lbrace.whitespace_after
        case cst.Tuple(lpar=[*_, last]):
            return last.whitespace_after
    return cst.SimpleWhitespace("")


def _with_opening(node: _Literal, space: cst.BaseParenthesizableWhitespace) -> _Literal:
    changed: cst.CSTNode = node
    match node:
        case cst.List():
            changed = node.with_changes(lbracket=node.lbracket.with_changes(whitespace_after=space))
        case cst.Set() | cst.Dict():
            changed = node.with_changes(lbrace=node.lbrace.with_changes(whitespace_after=space))
        case cst.Tuple(lpar=[*_, last]):
            changed = node.with_changes(
                lpar=[*node.lpar[:-1], last.with_changes(whitespace_after=space)]
            )
    return changed  # type: ignore[return-value]  # the same class as `node`


def _space_after(element: _Element | cst.ImportAlias) -> cst.BaseParenthesizableWhitespace | None:
    comma = element.comma
    return comma.whitespace_after if isinstance(comma, cst.Comma) else None


def _joined(
    before: cst.BaseParenthesizableWhitespace | None,
    after: cst.BaseParenthesizableWhitespace | None,
) -> cst.BaseParenthesizableWhitespace:
    """Return what stands between two elements once the one between them went."""
    match before, after:
        case cst.ParenthesizedWhitespace() as start, cst.ParenthesizedWhitespace() as end:
            # The rest of the line before is the neighbour's; what is below belongs to the next.
            return end.with_changes(first_line=start.first_line)
        case cst.ParenthesizedWhitespace() as start, cst.SimpleWhitespace() as end if end.empty:
            return end
        case None, _:
            return after or cst.SimpleWhitespace("")
    return before or cst.SimpleWhitespace("")


def _headed(
    before: cst.BaseParenthesizableWhitespace | None,
    after: cst.BaseParenthesizableWhitespace | None,
    joined: cst.BaseParenthesizableWhitespace,
    *,
    alone: bool,
) -> cst.BaseParenthesizableWhitespace:
    """Return what is left between two elements, with a comment that heads the next one as well."""
    match before, after, joined:
        case (
            cst.ParenthesizedWhitespace(empty_lines=above),
            cst.ParenthesizedWhitespace(empty_lines=below),
            cst.ParenthesizedWhitespace(),
        ) if not alone and not begins_apart(below) and (lines := heading(above)):
            return joined.with_changes(empty_lines=(*lines, *below))
    return joined


def _with_comma(kept: _Part, removed: _Part, space: cst.BaseParenthesizableWhitespace) -> _Part:
    if not isinstance(removed.comma, cst.Comma):
        return kept.with_changes(comma=removed.comma)
    comma = kept.comma if isinstance(kept.comma, cst.Comma) else removed.comma
    return kept.with_changes(comma=comma.with_changes(whitespace_after=space))


def _tight(node: _Literal) -> _Literal:
    """Close up the brackets of an empty literal."""
    empty = cst.SimpleWhitespace("")
    node = _with_opening(node, empty)
    changed: cst.CSTNode = node
    match node:
        case cst.List():
            changed = node.with_changes(
                rbracket=node.rbracket.with_changes(whitespace_before=empty)
            )
        case cst.Set() | cst.Dict():
            changed = node.with_changes(rbrace=node.rbrace.with_changes(whitespace_before=empty))
        case cst.Tuple(rpar=[first, *_]):
            first = first.with_changes(whitespace_before=empty)
            changed = node.with_changes(rpar=[first, *node.rpar[1:]])
    return changed  # type: ignore[return-value]  # the same class as `node`
