"""How does a flag leave the tables of a module, and the decorators that ask for it?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from typing import TypeVar

import libcst as cst

from flagstaff.cleanup.answers import Question, last_name, text_of
from flagstaff.cleanup.asking import is_table, lets_pass
from flagstaff.cleanup.conditions import is_pure
from flagstaff.cleanup.literals import without, without_arguments

_Table = TypeVar("_Table", cst.List, cst.Tuple, cst.Set, cst.Dict)
_Decorated = TypeVar("_Decorated", cst.FunctionDef, cst.ClassDef)
_TRANSLATING = {"_", "gettext", "gettext_lazy", "ugettext_lazy", "ugettext", "dict", "Markup"}


class Listings(cst.CSTTransformer):
    """Drop what a table of flags, such as `FEATURES = {…}`, says of this one."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._tables: list[bool] = []
        self._whole: set[int] = set()
        self._depth = 0

    def visit_Assign(self, node: cst.Assign) -> None:
        self._whole.add(id(node.value))
        self._tables.append(any(self._is_table(target.target) for target in node.targets))

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        del original_node
        self._tables.pop()
        return updated_node

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._whole.add(id(node.value))
        self._tables.append(self._is_table(node.target))

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign:
        del original_node
        self._tables.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        del node
        self._depth += 1

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        del original_node
        self._depth -= 1
        return updated_node

    def _is_table(self, target: cst.BaseExpression) -> bool:
        """Tell whether a table is one of the program's flags, and not some passing list."""
        name = last_name(target)
        lasting = isinstance(target, cst.Name) and not self._depth
        return is_table(name) and (name.isupper() or lasting)

    def visit_Call(self, node: cst.Call) -> None:
        del node
        self._tables.append(False)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        del original_node
        self._tables.pop()
        return updated_node

    def leave_List(self, original_node: cst.List, updated_node: cst.List) -> cst.List:
        return self._thinned(original_node, updated_node)

    def leave_Set(self, original_node: cst.Set, updated_node: cst.Set) -> cst.BaseExpression:
        elements = updated_node.elements
        if len(elements) == 1 and self._is_of(original_node) and self._goes(elements[0]):
            # Without an element, its braces would be those of a dictionary.
            return cst.Call(cst.Name("set"), lpar=updated_node.lpar, rpar=updated_node.rpar)
        return self._thinned(original_node, updated_node)

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        return self._thinned(original_node, updated_node)

    def leave_Tuple(self, original_node: cst.Tuple, updated_node: cst.Tuple) -> cst.Tuple:
        # The pair of a flag and its text is an element of the table around it.
        if updated_node.elements and self._is_name(updated_node.elements[0].value):
            rest = [element.value for element in updated_node.elements[1:]]
            whole = id(original_node) in self._whole and all(_is_word(each) for each in rest)
            if not whole and all(not self._is_name(each) and _is_text(each) for each in rest):
                return updated_node
        return self._thinned(original_node, updated_node)

    def _is_of(self, original: cst.BaseExpression) -> bool:
        """Tell whether a literal is such a table as a whole, rather than an entry of one."""
        return bool(self._tables) and self._tables[-1] and id(original) in self._whole

    def _thinned(self, original: _Table, node: _Table) -> _Table:
        if not self._is_of(original):
            return node
        doomed = [self._goes(element) for element in node.elements]
        return without(node, doomed) if any(doomed) else node

    def _goes(self, element: cst.BaseElement | cst.BaseDictElement) -> bool:
        match element:
            case cst.DictElement():
                return self._is_name(element.key) and _is_text(element.value)
            case cst.Element(value=cst.Tuple(elements=[first, *rest])):
                return self._is_name(first.value) and all(_is_text(e.value) for e in rest)
            case cst.Element():
                return self._is_name(element.value)
        return False

    def _is_name(self, node: cst.BaseExpression) -> bool:
        return self._question.is_name(node)


class Decorators(cst.CSTTransformer):
    """Drop the decorators that let a function run only with the flag as it stays."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        del original_node
        return self._bare(updated_node)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        del original_node
        return self._bare(updated_node)

    def _bare(self, node: _Decorated) -> _Decorated:
        kept = [each for each in node.decorators if not self._passes(each.decorator)]
        kept = [each.with_changes(decorator=self._unasked(each.decorator)) for each in kept]
        changed: _Decorated = node.with_changes(decorators=kept)
        return changed

    def _unasked(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return `@view(…, has_feature_flag="new_menu")` without what asks for the flag."""
        if not self._question.keep or not isinstance(node, cst.Call):
            return node
        doomed = [
            arg.keyword is not None
            and lets_pass(arg.keyword.value)
            and self._question.is_name(arg.value)
            for arg in node.args
        ]
        return without_arguments(node, doomed) if any(doomed) else node

    def _passes(self, node: cst.BaseExpression) -> bool:
        if not self._question.keep:
            return False
        match node:
            case cst.Call(args=[first]) if first.star == "":
                return lets_pass(last_name(node.func)) and self._question.is_name(first.value)
        return False


def _is_text(node: cst.BaseExpression) -> bool:
    """Tell whether a value only says something: a literal, or a text to be translated."""
    match node:
        case cst.Call(func=cst.Name(value=name), args=args) if name in _TRANSLATING:
            return all(is_pure(arg.value) for arg in args)
        case cst.ConcatenatedString():
            return True
    return is_pure(node)


def _is_word(node: cst.BaseExpression) -> bool:
    """Tell whether a value may be a flag's name too, and is no text for people."""
    text = text_of(node)
    return text is not None and text.replace("-", "_").replace(".", "_").isidentifier()
