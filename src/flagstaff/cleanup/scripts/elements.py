"""How does something leave, or enter, a list of elements: of an object, an array, a page?"""

from __future__ import annotations

import re

from ast_grep_py import SgNode

from flagstaff.cleanup.scripts.source import (
    Change,
    Edit,
    alone,
    indent_at,
    moved,
    replace,
    span,
)

_PAGE = {"jsx_element", "jsx_self_closing_element", "jsx_fragment"}
_NOTHING = {"null", "undefined", "false", "true"}
_PLAIN = re.compile(r"\"[^\"\\&{}<>\n]*\"")
_TEXT = re.compile(r"[^\\`$\n]*")
_NAMING = {"variable_declarator", "assignment_expression", "pair"}
_SIGN = re.compile(r"[=:][ \t]*\r?\n[ \t]*\Z")
_BROKEN = re.compile(r"[ \t]*\r?\n\s*(&&|\|\|)\s*|[ \t]*(&&|\|\|)[ \t]*\r?\n\s*")
_WIDEST = 80
_LISTS = {"object": "object", "array": "array", "arguments": "array"}


def in_container(container: SgNode, kept: SgNode | None) -> Change | None:
    """Return what becomes of `{…}` in a page, or of `...` in a list, with one operand left.

    No operand stands for an answer, of which a page shows nothing.
    """
    around = container.parent()
    while kept is not None and kept.kind() == "parenthesized_expression":
        inner = kept.named_children()
        if len(inner) != 1:
            return None
        kept = inner[0]
    if around is None or len(container.named_children()) != 1:
        return None
    match container.kind():
        case "jsx_expression" if around.kind() in _PAGE:
            if kept is None or kept.kind() in _NOTHING:
                return (_without_line(container),)
            if kept.kind() in _PAGE:
                return (replace(container, _drawn(container, kept)),)
        case "jsx_expression" if around.kind() == "jsx_attribute":
            if kept is not None and _PLAIN.fullmatch(kept.text()):
                return (replace(container, kept.text()),)
        case "template_substitution":
            if kept is not None and kept.kind() == "string":
                text = kept.text()[1:-1]
                return (replace(container, text),) if _TEXT.fullmatch(text) else None
        case "spread_element" if kept is not None and _LISTS.get(around.kind()) == kept.kind():
            return _spread(container, kept)
    return None


def without_element(node: SgNode) -> Edit:
    """Return the edit that takes an element out of a list, with its comma and its line."""
    text = node.get_root().root().text()
    start, end = span(node)
    comma = re.compile(r"\s*,").match(text, end)
    if comma is not None:
        lines = alone(text, start, comma.end())
        if lines is not None:
            return Edit(*lines)
        rest = re.compile(r"[ \t]*").match(text, comma.end())
        return Edit(start, rest.end() if rest else comma.end())
    before = re.search(r",\s*$", text[:start])
    own = alone(text, start, end)
    if before is not None and own is None:
        return Edit(before.start(), end)
    return Edit(*own) if own is not None else Edit(start, end)


def beside_name(node: SgNode, around: SgNode, text: str) -> Edit | None:
    """Put what is left of a value on the line of its name, if it only was too long for it."""
    whole = node.get_root().root().text()
    start, end = span(node)
    sign = _SIGN.search(whole[:start])
    if "\n" in text or sign is None or around.kind() not in _NAMING:
        return None
    before = whole[whole.rfind("\n", 0, sign.start()) + 1 : sign.start() + 1]
    line = f"{before} {text}" + whole[end:].partition("\n")[0].rstrip()
    return Edit(sign.start() + 1, end, f" {text}") if len(line) <= _WIDEST else None


def on_one_row(text: str) -> str:
    """Return a condition that is broken at its `&&` and `||` on one row, all else as it is."""
    if "`" in text or "//" in text or "/*" in text:
        return text
    return _BROKEN.sub(lambda found: f" {found[1] or found[2]} ", text)


def _without_line(container: SgNode) -> Edit:
    text = container.get_root().root().text()
    return Edit(*(alone(text, *span(container)) or span(container)))


def _drawn(container: SgNode, kept: SgNode) -> str:
    root = container.get_root().root()
    indent = indent_at(root.text(), span(container)[0])
    return moved(root, *span(kept), indent)


def _spread(container: SgNode, kept: SgNode) -> Change | None:
    entries = kept.named_children()
    if any(entry.kind() == "comment" for entry in entries):
        return None
    if not entries:
        return (without_element(container),)
    if kept.kind() == "array" and _has_holes(kept):
        return None
    root = container.get_root().root()
    indent = indent_at(root.text(), span(container)[0])
    return (replace(container, moved(root, span(entries[0])[0], span(entries[-1])[1], indent)),)


def _has_holes(array: SgNode) -> bool:
    previous = ""
    for child in array.children():
        if child.text() == "," and previous in {",", "["}:
            return True
        previous = child.text()
    return False
