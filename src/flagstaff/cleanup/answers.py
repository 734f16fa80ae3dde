"""Does this expression ask for the flag, and what is the answer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from flagstaff.cleanup.asking import (
    answers_truth,
    asks,
    is_question,
    is_table,
    lists_flags,
)
from flagstaff.cleanup.conditions import is_pure
from flagstaff.cleanup.owners import chain_of, holds_settings
from flagstaff.cleanup.patterns import DEFAULT, CallPattern, Conventions

_CHOICES = (
    *(("positive", "negative"), ("on", "off"), ("enabled", "disabled"), ("active", "inactive")),
    *(("if_on", "if_off"), ("if_enabled", "if_disabled"), ("when_on", "when_off")),
)
_BLOCKING = (cst.NamedExpr, cst.Yield)
STATE_KEYWORDS = {"active", "value", "enabled", "on", "state"} | {
    *("is_active", "everyone", "return_value", "is_enabled", "default_true"),
}
"""What the state of a flag is called where a test gives it one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is being removed: the flag, the answer that stays, and the names it goes by here.

    `names` are plain names that hold the flag's name in this file, `attributes` pairs such as
    `("Flags", "NEW_MENU")`; `objects` are the same for objects made of the flag. `is_setting` tells
    that the flag is no name in a text but one of a setting, and `is_read_here` that this module
    reads it by its plain name; `wrappers` what calls of other
    functions answer by now, by plain name and, in `wrapper_attributes`, by module or object and
    name; `properties` are the same for what is read without a call.
    `factories` are the states in which the factories of tests make a flag, and `doubles` what
    functions, and objects of the flag, answer with it on that tests have answer something else.
    `overrides_turn_on` says that `override_flag` is ours here, which needs no value to turn it on.
    """

    flag: str
    keep: bool
    conventions: Conventions = DEFAULT
    names: frozenset[str] = frozenset()
    attributes: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    objects: frozenset[str] = frozenset()
    object_attributes: frozenset[tuple[str, str]] = frozenset()
    is_setting: bool = False
    is_read_here: bool = False
    wrappers: Mapping[str, bool] = field(default_factory=dict)
    wrapper_attributes: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    properties: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    factories: Mapping[str, bool] = field(default_factory=dict)
    doubles: Mapping[str, bool] = field(default_factory=dict)
    overrides_turn_on: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Return the words one of which is in everything that the clean-up looks at."""
        pairs = self.attributes | self.object_attributes
        pairs |= {*self.wrapper_attributes, *self.properties}
        names = self.names | self.objects | frozenset(self.wrappers)
        names |= self.conventions.wrapping(self.flag) | frozenset(self.doubles)
        return frozenset({self.flag}) | names | frozenset(name for _, name in pairs)

    def answer(self, call: cst.Call) -> bool | None:
        """Return what a call answers, `None` unless it asks for this flag."""
        function = last_name(call.func)
        pattern = self.conventions.pattern(function)
        if pattern is not None and self._asks(call, pattern):
            return None if _blocked(call) else self.keep is not pattern.negated
        positive = self._loosely(call, function)
        if positive is not None:
            return None if _blocked(call) else self.keep is positive
        return self._wrapped(call)

    def details(self, node: cst.Attribute) -> bool:
        """Tell whether `flags.evaluate("flag", …).value` is read."""
        if node.attr.value != "value" or not isinstance(node.value, cst.Call):
            return False
        function = last_name(node.value.func)
        asks = function in self.conventions.details
        pattern = CallPattern(function=function)
        return asks and self._asks(node.value, pattern) and not _blocked(node.value)

    def is_certain(self, call: cst.Call) -> bool:
        """Tell whether what a call answers is a truth, and nothing that is only used as one."""
        function = last_name(call.func)
        pattern = self.conventions.pattern(function)
        if pattern is not None and self._asks(call, pattern):
            return True
        if isinstance(call.func, cst.Attribute) and self.is_object(call.func.value):
            return True
        if self._wrapped(call) is not None or answers_truth(function):
            return True
        match call:
            case cst.Call(
                func=cst.Attribute(value=owner, attr=cst.Name(value="get")),
                args=[_, cst.Arg(value=cst.Name(value="True" | "False"))],
            ):
                return is_table(last_name(owner))
        return False

    def chosen(self, call: cst.Call) -> cst.BaseExpression | None:
        """Return the `1` of `get_feature_value(FLAG, positive=1, negative=2)` with the flag on."""
        keywords = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
        pair = next((pair for pair in _CHOICES if keywords.keys() == set(pair)), None)
        if pair is None or not lists_flags(last_name(call.func)) or not is_pure(call.func):
            return None
        others = [arg for arg in call.args if arg.keyword is None]
        named = [arg for arg in others if self.is_name(arg.value)]
        winner, loser = pair if self.keep else reversed(pair)
        idle = all(is_pure(arg.value) and not arg.star for arg in others)
        if len(named) != 1 or not idle or not is_pure(keywords[loser]):
            return None
        return keywords[winner]

    def _loosely(self, call: cst.Call, function: str) -> bool | None:
        """Tell whether a call reads as the question for the flag (True), or for its opposite."""
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        if owner is not None and self.is_object(owner) and is_question(function):
            return asks(function, "flag") is not False
        if function in self.conventions.handles or any(arg.star for arg in call.args):
            return None
        named = [i for i, arg in enumerate(call.args) if self.is_name(arg.value)]
        if len(named) != 1:
            return None
        if function == "get" and owner is not None and named == [0]:
            return True if holds_settings(owner, self.flag) else None
        if function == "getattr" and named == [1]:
            return True if holds_settings(call.args[0].value, self.flag) else None
        if function == "getenv" or (function == "bool" and owner is not None):
            return True
        return asks(function, ".".join(chain_of(owner)) if owner is not None else "")

    def _wrapped(self, call: cst.Call) -> bool | None:
        declared = self.conventions.wrapper(last_name(call.func), self.flag)
        if declared is not None:
            return None if _blocked(call) else self.keep is not declared.negated
        if not is_plain(call):
            return None
        match call.func:
            case cst.Name(value=name):
                return self.wrappers.get(name)
            case cst.Attribute(value=owner, attr=attr) if is_pure(owner):
                return self.wrapper_attributes.get((last_name(owner), attr.value))
        return None

    def property_answer(self, node: cst.Attribute) -> bool | None:
        """Return what is read as `self.is_on`, `None` unless that is a flag's answer by now."""
        if not is_pure(node.value):
            return None
        return self.properties.get((last_name(node.value), node.attr.value))

    def setting(self, node: cst.Attribute | cst.Subscript) -> bool:
        """Tell whether `settings.NAME` or `config["NAME"]` reads the flag."""
        if not holds_settings(node.value, self.flag) or self.is_name(node):
            return False
        match node:
            case cst.Attribute(attr=cst.Name(value=name)):
                return self.is_setting and name == self.flag
            case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
                return self.is_name(index)
        return False

    def defines(self, node: cst.Assign | cst.AnnAssign) -> bool:
        """Tell whether a statement gives the setting, or the flag's own object, its value."""
        targets = (
            [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
        )
        names = [target.value for target in targets if isinstance(target, cst.Name)]
        given = self.is_setting and not self.is_read_here and self.flag in names
        return given or bool(self.objects & set(names))

    def is_object(self, node: cst.BaseExpression) -> bool:
        """Tell whether an expression is an object made of this flag alone."""
        match node:
            case cst.Name(value=name):
                return name in self.objects
            case cst.Attribute(value=owner, attr=attr):
                return (last_name(owner), attr.value) in self.object_attributes
        return False

    def is_meant(self, node: cst.BaseExpression) -> bool:
        """Tell whether an expression is the flag's name, or an object made of it."""
        return self.is_name(node) or self.is_object(node)

    def handle_answer(self, call: cst.Call, name: str) -> bool | None:
        """Return what `name(…)` or `name.is_enabled(…)` answers for the handle `name`."""
        if _blocked(call):
            return None
        match call.func:
            case cst.Name(value=value) if value == name:
                return self.keep
            case cst.Attribute(value=cst.Name(value=value), attr=attr) if value == name:
                pattern = self.conventions.pattern(attr.value)
                return None if pattern is None else self.keep is not pattern.negated
        return None

    def is_handle(self, value: cst.BaseExpression) -> bool:
        """Tell whether an expression makes an object bound to this flag."""
        return (
            isinstance(value, cst.Call)
            and isinstance(value.func, cst.Attribute)
            and value.func.attr.value in self.conventions.handles
            and bool(value.args)
            and self.is_name(value.args[0].value)
            and not _blocked(value)
        )

    def override(self, node: cst.BaseExpression) -> bool | None:
        """Return the value a test's override pins this flag to, `None` if it is not certain."""
        if not isinstance(node, cst.Call):
            return None
        if last_name(node.func) not in self.conventions.overrides:
            return None
        places = [i for i, arg in enumerate(node.args) if self.is_name(arg.value)]
        if len(places) != 1:
            return None
        states = [
            arg.value
            for i, arg in enumerate(node.args)
            if (arg.keyword is None and i == places[0] + 1)
            or (arg.keyword is not None and arg.keyword.value in STATE_KEYWORDS)
        ]
        match states:
            case [cst.Name(value="True" | "False" as value)]:
                return value == "True"
            case [] if self.overrides_turn_on and len(node.args) == 1:
                return True
        return None

    def is_name(self, node: cst.BaseExpression) -> bool:
        """Tell whether an expression is the flag's name: a literal or a constant that holds it."""
        match node:
            case cst.SimpleString() | cst.ConcatenatedString():
                return text_of(node) == self.flag
            case cst.Name(value=value):
                return value in self.names
            case cst.Attribute(value=owner, attr=cst.Name(value="value" | "name")) if isinstance(
                owner, cst.Attribute
            ):
                return self.is_name(owner)
            case cst.Attribute(value=owner, attr=attr):
                return (last_name(owner), attr.value) in self.attributes
        return False

    def _asks(self, call: cst.Call, pattern: CallPattern) -> bool:
        value = argument(call.args, pattern.position, pattern.keywords)
        return value is not None and self.is_name(value)


def is_plain(call: cst.Call) -> bool:
    """Tell whether nothing happens while the arguments of a call are made."""
    return all(
        isinstance(arg.value, cst.Name | cst.Attribute | cst.BaseNumber | cst.SimpleString)
        and not arg.star
        for arg in call.args
    )


def last_name(node: cst.BaseExpression) -> str:
    """Return `c` of `a.b.c`, empty for what has no name."""
    match node:
        case cst.Name(value=value):
            return value
        case cst.Attribute(attr=attr):
            return attr.value
    return ""


def argument(
    args: Sequence[cst.Arg], position: int, keywords: Sequence[str]
) -> cst.BaseExpression | None:
    """Return the argument at `position`, or the one given by any of `keywords`."""
    for index, arg in enumerate(args):
        if arg.star:
            return None
        if arg.keyword is None and index == position:
            return arg.value
        if arg.keyword is not None and arg.keyword.value in keywords:
            return arg.value
    return None


def text_of(node: cst.BaseExpression) -> str | None:
    """Return the text of a string literal, `None` for everything else."""
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return None
    value = node.evaluated_value
    if isinstance(value, bytes) or value is None:
        return None
    return str(value)


class _Blockers(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.found = self.found or isinstance(node, _BLOCKING)
        return not self.found


def _blocked(call: cst.Call) -> bool:
    """Arguments that bind names or suspend the function cannot simply be dropped."""
    visitor = _Blockers()
    call.visit(visitor)
    return visitor.found
