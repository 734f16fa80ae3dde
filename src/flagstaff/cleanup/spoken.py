"""What does it ask of the flag where a text or a number that says its state is compared?

`os.getenv("NEW_MENU", "").lower() in ("1", "true")` and `strtobool(os.environ["NEW_MENU"])` do.
"""

from __future__ import annotations

import libcst as cst

from flagstaff.cleanup.answers import Question, last_name, text_of
from flagstaff.cleanup.asking import parts
from flagstaff.cleanup.conditions import is_pure
from flagstaff.cleanup.owners import chain_of
from flagstaff.cleanup.pins import truth_of

_METHODS = frozenset({"lower", "upper", "strip", "casefold", "capitalize", "title"})
_NUMBERS = frozenset({"int"})
_TRUTHS = frozenset({"strtobool", "str2bool", "str_to_bool", "parse_bool", "to_bool", "as_bool"})


def compared(question: Question, node: cst.Comparison) -> bool | None:
    """Return what a comparison of the flag's text answers, `None` if it is no question for it."""
    if len(node.comparisons) != 1 or not _is_text(question, node.left):
        return None
    target = node.comparisons[0]
    means = _meant(target.comparator)
    is_list = isinstance(target.comparator, cst.Tuple | cst.List | cst.Set)
    match target.operator:
        case cst.Equal() | cst.NotEqual() if means is None or is_list:
            return None
        case cst.In() | cst.NotIn() if means is None or not is_list:
            return None
        case cst.Equal() | cst.In():
            return question.keep is means
        case cst.NotEqual() | cst.NotIn():
            return question.keep is not means
    return None


def converted(question: Question, call: cst.Call) -> bool | None:
    """Return what `strtobool(…)` of the flag's text answers, `None` if it is no question for it."""
    match call.args:
        case [cst.Arg(value=value, keyword=None, star="")]:
            name = last_name(call.func)
            is_truth = name in _TRUTHS or name in _NUMBERS
            return question.keep if is_truth and _is_text(question, value) else None
    return None


def is_truth(call: cst.Call) -> bool:
    """Tell whether a conversion gives a truth, and no number that is only used as one."""
    return last_name(call.func) in _TRUTHS


def _is_text(question: Question, node: cst.BaseExpression) -> bool:
    """Tell whether an expression is what the environment, or the settings, say of the flag."""
    match node:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=name)), args=[]) if (
            name in _METHODS
        ):
            return _is_text(question, owner)
        case cst.Call(
            func=cst.Name(value="str" | "int"), args=[cst.Arg(value=value, keyword=None)]
        ):
            return _is_text(question, value)
        case cst.Call():
            reads = last_name(node.func) in {"get", "getenv"} and _is_kept(chain_of(node.func))
            named = bool(node.args) and question.is_name(node.args[0].value)
            return reads and named and all(is_pure(arg.value) for arg in node.args)
        case cst.Subscript():
            return question.setting(node)
        case cst.BooleanOperation(operator=cst.Or(), right=cst.SimpleString()):
            return _is_text(question, node.left)
    return False


def _is_kept(names: list[str]) -> bool:
    return any(parts(name) & {"environ", "env", "getenv", "config", "settings"} for name in names)


def _meant(node: cst.BaseExpression) -> bool | None:
    """Return the truth that a text says, or all of several ones."""
    match node:
        case (
            cst.Tuple(elements=elements) | cst.List(elements=elements) | cst.Set(elements=elements)
        ):
            meanings = {_meant(each.value) for each in elements}
            return meanings.pop() if len(meanings) == 1 else None
        case cst.SimpleString():
            return truth_of(node, texts=True) if text_of(node) is not None else None
        case cst.Name(value="True" | "False") | cst.Integer():
            return truth_of(node)
    return None
