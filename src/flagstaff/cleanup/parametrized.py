"""What is left of a test that is run for both answers of the flag?

`@pytest.mark.parametrize("on", [True, False])` goes, and so does the parameter, if the test gives
the flag that state; of several parameters, the rows of the other answer go, and the column.
"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst
from libcst import matchers

from flagstaff.cleanup.answers import Question, last_name, text_of
from flagstaff.cleanup.literals import without
from flagstaff.cleanup.markers import Known, known
from flagstaff.cleanup.pins import mocks_in, pin_of, set_up, truth_of

_Rows = cst.List | cst.Tuple


@dataclass(frozen=True, slots=True)
class _Table:
    """The names of a `parametrize`, and its rows."""

    call: cst.Call
    names: tuple[str, ...]
    rows: _Rows

    def states(self, at: int) -> list[bool | None]:
        """Return the truth which each row gives a name, `None` for what is none."""
        found: list[bool | None] = []
        for element in self.rows.elements:
            value = element.value
            if len(self.names) > 1:
                fits = isinstance(value, cst.Tuple) and len(value.elements) == len(self.names)
                value = value.elements[at].value if fits and isinstance(value, cst.Tuple) else value
                found.append(truth_of(value) if fits else None)
            else:
                found.append(truth_of(value))
        return found

    def without(self, at: int, *, keep: bool) -> cst.Call | None:
        """Return the call without a name, and the rows that do not give it what stays."""
        names = [name for i, name in enumerate(self.names) if i != at]
        if not names:
            return None
        doomed = [state is not keep for state in self.states(at)]
        rows = _thinned(self.rows, doomed)
        elements = [e.with_changes(value=_shorter(e.value, at)) for e in rows.elements]
        text = self.call.args[0].value
        assert isinstance(text, cst.SimpleString)  # noqa: S101  as `_table` found it
        comma = ", " if ", " in text.value else ","
        first = text.with_changes(value=f"{text.prefix}{text.quote}{comma.join(names)}{text.quote}")
        args = [self.call.args[0].with_changes(value=first), self.call.args[1]]
        args[1] = args[1].with_changes(value=rows.with_changes(elements=elements))
        return self.call.with_changes(args=args)


class Parametrized(cst.CSTTransformer):
    """Runs tests for the answer that stays alone."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        del original_node
        if not updated_node.name.value.startswith("test"):
            return updated_node
        for place, decorator in enumerate(updated_node.decorators):
            table = _table(decorator.decorator)
            for at, name in enumerate(table.names if table else ()):
                node = self._decided(updated_node, table, at)
                if table is None or node is None or not _has(updated_node, name):
                    continue
                call = table.without(at, keep=self._question.keep)
                rest = [decorator.with_changes(decorator=call)] if call else []
                before, after = node.decorators[:place], node.decorators[place + 1 :]
                return node.with_changes(decorators=[*before, *rest, *after])
        return updated_node

    def _decided(
        self, node: cst.FunctionDef, table: _Table | None, at: int
    ) -> cst.FunctionDef | None:
        """Return the function with the state that stays for a parameter, if it is the flag's."""
        states = table.states(at) if table else []
        if table is None or None in states or self._question.keep not in states:
            return None
        name, keep = table.names[at], self._question.keep
        if matchers.findall(node.body, matchers.AssignTarget(matchers.Name(name))):
            return None
        body = node.body.visit(_Put(name, keep=keep))
        assert isinstance(body, cst.BaseSuite)  # noqa: S101  a body stays one
        given = _Given(self._question)
        body.visit(given)
        given.found = given.found or any(
            name not in mocks_in(self._question, node.body)
            for name in mocks_in(self._question, body)
        )
        return _without_parameter(node.with_changes(body=body), name) if given.found else None


class _Put(cst.CSTTransformer):
    """Puts a truth wherever a name is read."""

    def __init__(self, name: str, *, keep: bool) -> None:
        super().__init__()
        self._name = name
        self._keep = keep

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        del original_node
        return known(truth=self._keep) if updated_node.value == self._name else updated_node

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)


class _Given(cst.CSTVisitor):
    """Tells whether the flag is given a state that was put in."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self.found = False

    def visit_Call(self, node: cst.Call) -> None:
        put = bool(matchers.findall(node, matchers.MatchIfTrue(lambda n: isinstance(n, Known))))
        if put and (set_up(self._question, node), pin_of(self._question, node)) != (None, None):
            self.found = True


def _table(node: cst.BaseExpression) -> _Table | None:
    match node:
        case cst.Call(
            args=[
                cst.Arg(value=cst.SimpleString() as names, keyword=None, star=""),
                cst.Arg(value=cst.List() | cst.Tuple() as rows, keyword=None, star=""),
            ]
        ) if last_name(node.func) == "parametrize":
            found = tuple(name.strip() for name in (text_of(names) or "").split(","))
            plain = all(name.isidentifier() for name in found) and len(set(found)) == len(found)
            return _Table(node, found, rows) if plain else None
    return None


def _thinned(rows: _Rows, doomed: Sequence[bool]) -> _Rows:
    match rows:
        case cst.List():
            return without(rows, doomed)
        case cst.Tuple():
            return without(rows, doomed)


def _shorter(row: cst.BaseExpression, at: int) -> cst.BaseExpression:
    assert isinstance(row, cst.Tuple)  # noqa: S101  as `states` found it
    left: Sequence[cst.BaseElement] = [e for i, e in enumerate(row.elements) if i != at]
    # The row of one name is its value, and no tuple.
    return (
        left[0].value if len(left) == 1 else without(row, [i == at for i in range(len(left) + 1)])
    )


def _has(node: cst.FunctionDef, name: str) -> bool:
    return any(param.name.value == name for param in node.params.params)


def _without_parameter(node: cst.FunctionDef, name: str) -> cst.FunctionDef:
    params = [param for param in node.params.params if param.name.value != name]
    if params and node.params.params[-1].name.value == name:
        params[-1] = params[-1].with_changes(comma=node.params.params[-1].comma)
    return node.with_changes(params=node.params.with_changes(params=params))
