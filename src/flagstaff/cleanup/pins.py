"""Which state does a call give the flag for a while, and what else does the call do?"""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst
from libcst import matchers

from flagstaff.cleanup.answers import STATE_KEYWORDS, Question, last_name, text_of
from flagstaff.cleanup.asking import (
    enables,
    forgets_flag,
    is_question,
    keeps_flags,
    makes_flag,
    parts,
    sets_flag,
)
from flagstaff.cleanup.literals import without, without_arguments
from flagstaff.cleanup.owners import chain_of, holds_settings

_PINNING = frozenset({"patch", "override", "overrides", "overridden", "set", "settings"})
_MAKERS = frozenset({"get", "G", "N", "make", "blend"})
_MAKING = frozenset({"make", "blend"})
_SOMEBODY = frozenset(
    {"projects", "users", "groups", "sites", "teams", "accounts", "organizations", "orgs"}
    | {"organisations", "tenants", "customers", "members", "companies", "roles"}
)
_TEXTS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off", ""), False
)


@dataclass(frozen=True, slots=True)
class Pin:
    """The state that a call gives the flag, and the call without it if it pins more than that."""

    state: bool
    rest: cst.Call | None = None


def pin_of(question: Question, node: cst.BaseExpression) -> Pin | None:
    """Return what a test's call pins the flag to, `None` if it is not certain.

    `override_flag("new_menu", True)`, `override_settings(NEW_MENU=True)`, and
    `patch.dict(settings.FEATURES, {"new_menu": True})` are such calls.
    """
    state = question.override(node)
    if state is not None:
        return Pin(state)
    if not isinstance(node, cst.Call) or any(arg.star for arg in node.args):
        return None
    doubled = _doubled(question, node)
    if doubled is not None:
        return Pin(doubled)
    return _named(question, node) or _mapped(question, node)


def _named(question: Question, call: cst.Call) -> Pin | None:
    """Read `override_settings(NEW_MENU=True)`."""
    words = parts(last_name(call.func))
    if not question.is_setting or "settings" not in words or words - {"override", "settings"}:
        return None
    places = [arg.keyword is not None and arg.keyword.value == question.flag for arg in call.args]
    if places.count(True) != 1:
        return None
    state = truth_of(call.args[places.index(True)].value)
    if state is None:
        return None
    alone = len(call.args) == 1
    return Pin(state, None if alone else without_arguments(call, places))


def _mapped(question: Question, call: cst.Call) -> Pin | None:
    """Read `patch.dict(settings.FEATURES, {"new_menu": True})`."""
    found = [
        (place, arg, arg.value, at)
        for place, arg in enumerate(call.args)
        if isinstance(arg.value, cst.Dict)
        for at, entry in enumerate(arg.value.elements)
        if isinstance(entry, cst.DictElement) and question.is_name(entry.key)
    ]
    if len(found) != 1:
        return None
    place, arg, mapping, at = found[0]
    entry = mapping.elements[at]
    state = truth_of(entry.value, texts=True)
    if state is None or not _pins(call, arg):
        return None
    alone = len(mapping.elements) == 1
    if alone and (arg.keyword is not None or len(call.args) > place + 1):
        # The rest of the table would be there again.
        return None
    if alone:
        return Pin(state)
    thinned = without(mapping, [i == at for i in range(len(mapping.elements))])
    args = [*call.args[:place], arg.with_changes(value=thinned), *call.args[place + 1 :]]
    return Pin(state, call.with_changes(args=args))


def _pins(call: cst.Call, mapping: cst.Arg) -> bool:
    """Tell whether a call puts a mapping over the program's flags or settings."""
    names = chain_of(call.func)
    if not names or not any(parts(name) & _PINNING for name in names):
        return False
    whose = [*names]
    if mapping.keyword is not None:
        whose = [mapping.keyword.value]
    elif call.args[0] is not mapping:
        text = text_of(call.args[0].value)
        whose += chain_of(call.args[0].value) if text is None else text.split(".")
    return any(keeps_flags(name) for name in whose)


def _doubled(question: Question, call: cst.Call) -> bool | None:
    """Read `patch("app.views.is_new", return_value=True)`, of what only asks for the flag."""
    match call.args:
        case [
            cst.Arg(value=cst.SimpleString() as target, keyword=None, star=""),
            cst.Arg(value=value, keyword=cst.Name(value="return_value")),
        ] if last_name(call.func) == "patch":
            names = re.split("[.:]", text_of(target) or "")
            asked = len(names) > 1 and is_question(names[-1])
            known = question.doubles
            on = known.get(names[-1], known.get(names[-2]) if asked else None)
            state = truth_of(value)
            return None if on is None or state is None else state is on
    return None


def set_up(question: Question, call: cst.Call) -> bool | None:
    """Return the state that a statement of a test gives the flag, `None` if it is not sure."""
    sure = _doubled(question, call)
    sure = _monkeypatched(question, call) if sure is None else sure
    if sure is not None:
        return sure
    named = [i for i, arg in enumerate(call.args) if question.is_meant(arg.value)]
    if len(named) != 1:
        return None
    names = chain_of(call.func)
    function = names[-1] if names else ""
    made = _makes(call)
    if not (made or sets_flag(names) or _patches(question, call)):
        return None
    states = [
        truth_of(arg.value)
        for i, arg in enumerate(call.args)
        if i != named[0]
        and (
            (arg.keyword is None and i == named[0] + 1)
            or (arg.keyword is not None and arg.keyword.value in STATE_KEYWORDS)
        )
        and not isinstance(arg.value, cst.SimpleString)
    ]
    if states:
        return states[0] if len(states) == 1 else None
    if enables(function) or any(_is_given(arg) for arg in call.args):
        return True
    return question.factories.get(function)


def pinned_by(question: Question, node: cst.Assign) -> bool | None:
    """Return what `flags["name"] = True` or `os.environ["NAME"] = "1"` gives the flag."""
    match node:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Subscript() | cst.Attribute() as target)],
            value=value,
        ) if question.setting(target):
            return truth_of(value, texts=True)
    return None


def _monkeypatched(question: Question, call: cst.Call) -> bool | None:
    """Read `monkeypatch.setenv("NAME", "1")`, or `setattr` and `setitem` of the settings."""
    match call.func, [arg.value for arg in call.args if not arg.star and arg.keyword is None]:
        case cst.Attribute(attr=cst.Name(value="setenv")), [name, value, *_]:
            return truth_of(value, texts=True) if question.is_name(name) else None
        case (
            cst.Attribute(attr=cst.Name(value="setattr" | "setitem" as function)),
            [owner, name, value],
        ) if question.is_name(name) and holds_settings(owner, question.flag):
            is_asked = function == "setitem" or question.is_setting
            return truth_of(value, texts=True) if is_asked else None
    return None


def forgets(question: Question, call: cst.Call) -> bool:
    """Tell whether a statement of a test forgets the flag's state: `delete_config("new_menu")`."""
    return (
        len(call.args) == 1
        and not call.args[0].star
        and question.is_meant(call.args[0].value)
        and forgets_flag(chain_of(call.func))
    )


def _makes(call: cst.Call) -> bool:
    """Tell whether `get(Feature, …)` or `baker.make(Flag, …)` makes a flag for a test."""
    match call.func, call.args:
        case cst.Name(value=name), [cst.Arg(keyword=None, star="", value=model), *_]:
            return name in _MAKERS and makes_flag(last_name(model))
        case cst.Attribute(attr=attr), [cst.Arg(keyword=None, star="", value=model), *_]:
            return attr.value in _MAKING and makes_flag(last_name(model))
    return False


def _is_given(arg: cst.Arg) -> bool:
    """Tell whether `projects=[project]` turns the flag on for somebody."""
    named = arg.keyword is not None and arg.keyword.value in _SOMEBODY
    return named and isinstance(arg.value, cst.List | cst.Tuple) and bool(arg.value.elements)


def _patches(question: Question, call: cst.Call) -> bool:
    """Tell whether `patch.object(…)` replaces a setting, or what the flag's own object answers."""
    if chain_of(call.func)[-2:] != ["patch", "object"] or not call.args:
        return False
    return patched(question, call) or holds_settings(call.args[0].value, question.flag)


def patched(question: Question, call: cst.Call) -> bool:
    """Tell whether `patch.object(FLAG, "is_active", …)` has the flag's own object answer."""
    match call.args:
        case [cst.Arg(value=owner, star=""), cst.Arg(value=cst.SimpleString() as method), *_]:
            asked = is_question(text_of(method) or "")
            return chain_of(call.func)[-2:] == ["patch", "object"] and (
                asked and question.is_object(owner)
            )
    return False


def truth_of(node: cst.BaseExpression, *, texts: bool = False) -> bool | None:
    """Return the truth that a literal gives a flag; with `texts` that of "true" as well."""
    match node:
        case cst.Name(value="True" | "False" as value):
            return value == "True"
        case cst.Integer(value="0" | "1" as value):
            return value == "1"
        case cst.SimpleString() if texts:
            text = text_of(node)
            return None if text is None else _TEXTS.get(text.lower())
    return None


def mocks_in(question: Question, body: cst.BaseSuite) -> frozenset[str]:
    """Return the variables of a test that have the flag's own object give the answer that stays.

    Such a one is `flag = mocker.patch("app.views.NEW_MENU")`, of which all that is said is
    `flag.is_active.return_value = True`.
    """
    found: set[str] = set()
    for node in matchers.findall(body, matchers.Assign()):
        name = mock_made(question, node)
        if not name:
            continue
        told = [
            truth_of(each.value)
            for each in matchers.findall(body, matchers.Assign())
            if isinstance(each, cst.Assign) and mock_told(each) == name
        ]
        mentioned = len(matchers.findall(body, matchers.Name(name)))
        if told == [question.keep] and mentioned == 1 + len(told):
            found.add(name)
    return frozenset(found)


def mock_made(question: Question, node: cst.CSTNode) -> str:
    """Return the variable that a patched object of the flag is kept in, empty for all else."""
    match node:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value=name))],
            value=cst.Call(func=func, args=[cst.Arg(value=cst.SimpleString() as target)]),
        ) if last_name(func) == "patch":
            last = (text_of(target) or "").rpartition(".")[2]
            return name if question.doubles.get(last) is True else ""
    return ""


def mock_told(node: cst.CSTNode) -> str:
    """Return the variable of `flag.is_active.return_value = …`, empty for all else."""
    match node:
        case cst.Assign(
            targets=[
                cst.AssignTarget(
                    target=cst.Attribute(
                        value=cst.Attribute(value=cst.Name(value=name), attr=asked),
                        attr=cst.Name(value="return_value"),
                    )
                )
            ]
        ) if is_question(asked.value):
            return name
    return ""
