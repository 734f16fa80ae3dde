"""Where does a script ask for the flag, and what is the answer there?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ast_grep_py import SgNode

from flagstaff.cleanup.asking import asks, holds_flags, lists_flags, parts
from flagstaff.cleanup.patterns import DEFAULT, Conventions, camel
from flagstaff.cleanup.scripts.names import Scope, is_written
from flagstaff.cleanup.scripts.source import Script, meaningful, same, span

_BLOCKING = (
    *("assignment_expression", "augmented_assignment_expression", "update_expression"),
    "yield_expression",
)
_CASTS = {"as_expression", "satisfies_expression", "non_null_expression"}
_VARIATIONS = {"variation", "boolVariation", "bool_variation", "getBooleanValue"}
_STRINGS = ("string", "template_string")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptQuestion:
    """What is being removed, and the names it goes by in this file.

    `names` are plain names that hold the flag's name, `attributes` pairs such as
    `("Flags", "NEW_MENU")`.
    """

    flag: str
    keep: bool
    conventions: Conventions = DEFAULT
    names: frozenset[str] = frozenset()
    attributes: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @property
    def words(self) -> frozenset[str]:
        """Return the words one of which is in everything that the clean-up looks at."""
        return frozenset(
            {self.flag, camel(self.flag), *self.names, *(name for _, name in self.attributes)}
            | self.conventions.wrapping(self.flag)
        )

    def answers(self, script: Script) -> Iterator[tuple[SgNode, bool]]:
        """Yield each expression that asks for the flag, with its answer."""
        for node in self._named(script.root):
            asked = self._asked(node)
            if asked is None:
                continue
            expression, positive = _state(*asked)
            if _is_usable(expression, script.root):
                yield expression, self.keep is positive

    def is_name(self, node: SgNode) -> bool:
        """Tell whether an expression is the flag's name: a literal, or a constant that holds it."""
        match node.kind():
            case "string" | "template_string":
                return _literal(node) == self.flag
            case "identifier":
                return node.text() in self.names
            case "member_expression":
                owner, name = node.field("object"), node.field("property")
                return (
                    owner is not None
                    and name is not None
                    and (last_name(owner), name.text()) in self.attributes
                )
        return False

    def _named(self, root: SgNode) -> Iterator[SgNode]:
        """Yield what may be the flag's name, or something called so."""
        wanted = "|".join(re.escape(word) for word in sorted(self.words))
        for kind in _STRINGS:
            yield from root.find_all(kind=kind, regex=wanted)
        for kind in ("identifier", "property_identifier"):
            yield from root.find_all(kind=kind, regex=f"^(?:{wanted})$")

    def _asked(self, node: SgNode) -> tuple[SgNode, bool] | None:
        """Return the expression around a name that asks by it, and whether it asks if it is on."""
        parent = node.parent()
        declared = self.conventions.wrapper(node.text(), self.flag)
        if declared is not None:
            call = _called(node)
            return None if call is None else (call, not declared.negated)
        if node.kind() == "property_identifier" and parent is not None:
            if parent.kind() != "member_expression":
                return None
            if not self.is_name(parent) and self._is_kept(parent):
                return parent, True
            node, parent = parent, parent.parent()
        while parent is not None and parent.kind() in _CASTS:
            node, parent = parent, parent.parent()
        if parent is None or not self.is_name(_uncast(node)):
            return None
        match parent.kind():
            case "subscript_expression" if same(parent.field("index"), node):
                owner = parent.field("object")
                held = owner is not None and _holds(last_name(owner), self.flag)
                return (parent, True) if held else None
            case "arguments":
                call = parent.parent()
                positive = None if call is None else self._question(call, node, parent)
                if call is not None and positive is not None:
                    return call, positive
        return None

    def _is_kept(self, node: SgNode) -> bool:
        """Tell whether `features.newMenu` reads what a store of flags has for this one."""
        owner, name = node.field("object"), node.field("property")
        if owner is None or name is None or name.text() not in {self.flag, camel(self.flag)}:
            return False
        return _holds(last_name(owner), self.flag)

    def _question(self, call: SgNode, name: SgNode, arguments: SgNode) -> bool | None:
        given = meaningful(arguments)
        callee = call.field("function")
        if call.kind() != "call_expression" or callee is None:
            return None
        if len([each for each in given if self.is_name(_uncast(each))]) != 1:
            return None
        if any(each.kind() == "spread_element" for each in given):
            return None
        function = last_name(callee)
        pattern = self.conventions.pattern(function)
        place = next(i for i, each in enumerate(given) if same(each, name))
        if pattern is not None and place == pattern.position:
            return not pattern.negated
        if function in _VARIATIONS and not place:
            booleans = [each for each in given if each.kind() in {"true", "false"}]
            return True if booleans or "ool" in function else None
        owner = callee.field("object")
        return asks(function, "" if owner is None else last_name(owner))


def _called(name: SgNode) -> SgNode | None:
    """Return the call of what a name names."""
    node, parent = name, name.parent()
    if parent is not None and parent.kind() == "member_expression":
        node, parent = parent, parent.parent()
    if parent is None or parent.kind() != "call_expression":
        return None
    return parent if same(parent.field("function"), node) else None


def last_name(node: SgNode) -> str:
    """Return `c` of `a.b.c` and of `c()`, empty for what has no name."""
    match node.kind():
        case "identifier" | "property_identifier":
            return node.text()
        case "member_expression":
            name = node.field("property")
            return "" if name is None else name.text().lstrip("#")
        case "call_expression":
            callee = node.field("function")
            return "" if callee is None else last_name(callee)
        case "non_null_expression" | "parenthesized_expression":
            inner = meaningful(node)
            return last_name(inner[0]) if len(inner) == 1 else ""
    return ""


def asks_for_some_flag(call: SgNode) -> bool:
    """Tell whether a call only asks for a flag, by a name in quotes: `hasFeature("old_menu")`."""
    given = call.field("arguments")
    inner = [] if given is None else meaningful(given)
    is_plain = [each.kind() for each in inner] == ["string"]
    return is_plain and lists_flags(last_name(call)) and asks(last_name(call)) is not None


def _holds(owner: str, flag: str) -> bool:
    # A single word may be a setting of anything, and what the environment holds is text.
    long = len(parts(flag)) > 1 and "env" not in parts(owner)
    return lists_flags(owner) or (long and holds_flags(owner))


def _literal(node: SgNode) -> str | None:
    inner = node.named_children()
    if [each.kind() for each in inner] != ["string_fragment"]:
        return None
    return inner[0].text()


def _uncast(node: SgNode) -> SgNode:
    while node.kind() in _CASTS:
        node = node.named_children()[0]
    return node


def _state(node: SgNode, positive: bool) -> tuple[SgNode, bool]:  # noqa: FBT001  a pair passed on
    """Go on to `.enabled` or `.isEnabled()` where that is asked of the answer."""
    parent = node.parent()
    if parent is None or parent.kind() != "member_expression":
        return node, positive
    if not same(parent.field("object"), node):
        return node, positive
    name = parent.field("property")
    state = None if name is None else asks(name.text(), "flag")
    if state is None:
        return node, positive
    around = parent.parent()
    if around is not None and around.kind() == "call_expression":
        given = around.field("arguments")
        if same(around.field("function"), parent) and given is not None and not meaningful(given):
            parent = around
    return parent, positive is state


def _is_usable(node: SgNode, root: SgNode) -> bool:
    """Tell whether a plain answer can stand here without anybody noticing that it is one."""
    if any(node.find(kind=kind) is not None for kind in _BLOCKING):
        return False
    child, parent = node, node.parent()
    while parent is not None and (
        parent.kind() in {*_CASTS, "await_expression"}
        or (parent.kind() == "parenthesized_expression" and len(parent.named_children()) == 1)
    ):
        child, parent = parent, parent.parent()
    if parent is None:
        return False
    match parent.kind():
        case "member_expression" | "subscript_expression":
            return not same(parent.field("object"), child)
        case "call_expression" | "new_expression" | "decorator":
            return False
        case "arguments":
            # What selects, or is a hook, may want the question rather than its answer.
            call = parent.parent()
            callee = None if call is None else (call.field("function") or call.field("constructor"))
            return callee is None or not re.match("use[A-Z]|.*[sS]elect", last_name(callee))
        case "variable_declarator":
            return _is_plain_variable(parent, child, root)
        case "jsx_spread_attribute" | "for_in_statement" | "template_literal_type":
            return False
    return not is_written(child)


def _is_plain_variable(declarator: SgNode, value: SgNode, root: SgNode) -> bool:
    name = declarator.field("name")
    if name is None or name.kind() != "identifier" or not same(declarator.field("value"), value):
        return False
    scope = Scope.of(declarator, root)
    return scope is None or not any(is_opened(use) for use in scope.uses(name))


def is_opened(node: SgNode) -> bool:
    """Tell whether something is asked of a value, rather than whether it is true."""
    parent = node.parent()
    if parent is None:
        return False
    match parent.kind():
        case "member_expression" | "subscript_expression":
            return same(parent.field("object"), node)
        case "call_expression":
            return same(parent.field("function"), node)
        case "variable_declarator":
            pattern = parent.field("name")
            opened = pattern is not None and pattern.kind().endswith("_pattern")
            return opened and span(parent)[1] >= span(node)[1] and same(parent.field("value"), node)
        case "new_expression" | "spread_element" | "for_in_statement":
            return True
    return parent.kind().startswith("jsx_") and parent.kind().endswith("_element")
