"""What becomes of a fixture of pytest that does nothing but turn the flag on?

It goes, and with it the parameters by which tests of its file ask for it.
"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import libcst as cst
from libcst import matchers

from flagstaff.cleanup.answers import Question, last_name, text_of
from flagstaff.cleanup.literals import without_arguments
from flagstaff.cleanup.markers import Gone, gone, known
from flagstaff.cleanup.pins import set_up, truth_of

_USING = "usefixtures"


def idle_fixtures(module: cst.Module, question: Question) -> frozenset[str]:
    """Return the fixtures of a module that only turn the flag on, where nothing reads them."""
    names = {
        node.name.value
        for node in module.body
        if isinstance(node, cst.FunctionDef) and _is_fixture(node) and _turns_on(node, question)
    }
    if not names:
        return frozenset()
    uses = _Uses()
    module.visit(uses)
    return frozenset(names - uses.read)


class FixtureDropper(cst.CSTTransformer):
    """Drops fixtures, and what asks for them."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._names = names

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        del original_node
        if updated_node.name.value in self._names and _is_fixture(updated_node):
            return gone(updated_node)
        params = [p for p in updated_node.params.params if p.name.value not in self._names]
        node = updated_node.with_changes(decorators=self._decorators(updated_node.decorators))
        if len(params) == len(node.params.params):
            return node
        last = updated_node.params.params[-1]
        if params and last.name.value in self._names:
            space = last.whitespace_after_param
            params[-1] = params[-1].with_changes(comma=last.comma, whitespace_after_param=space)
        return node.with_changes(params=node.params.with_changes(params=params))

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        del original_node
        return updated_node.with_changes(decorators=self._decorators(updated_node.decorators))

    def _decorators(self, decorators: object) -> list[cst.Decorator]:
        assert isinstance(decorators, list | tuple)  # noqa: S101  as LibCST gives them
        kept = []
        for each in decorators:
            call = each.decorator
            if isinstance(call, cst.Call) and last_name(call.func) == _USING:
                doomed = [text_of(arg.value) in self._names for arg in call.args]
                if all(doomed) and doomed:
                    continue
                if any(doomed):
                    kept.append(each.with_changes(decorator=without_arguments(call, doomed)))
                    continue
            kept.append(each)
        return kept


def _is_fixture(node: cst.FunctionDef) -> bool:
    if len(node.decorators) != 1:
        return False
    decorator = node.decorators[0].decorator
    return last_name(decorator.func if isinstance(decorator, cst.Call) else decorator) == "fixture"


def _turns_on(node: cst.FunctionDef, question: Question) -> bool:
    """Tell whether the flag is on after a fixture, and nothing else was done; it may be emptied."""
    lines = [line for line in node.body.body if isinstance(line, cst.SimpleStatementLine)]
    smalls = [small for line in lines for small in line.body if not _is_text(small)]
    if len(lines) < len(node.body.body) or len(smalls) != 1:
        return False
    match smalls[0]:
        case Gone():
            return True
        case (
            cst.Expr(value=cst.Yield(value=cst.Call() as call))
            | cst.Return(value=cst.Call() as call)
        ):
            return set_up(question, call) is question.keep
        case cst.Expr(value=cst.Call() as call) if _is_run_for_both(node):
            put = call.with_changes(args=[_put(arg, keep=question.keep) for arg in call.args])
            return set_up(question, put) is question.keep
    return False


def _is_run_for_both(node: cst.FunctionDef) -> bool:
    """Tell whether a fixture is `@pytest.fixture(params=[True, False])`."""
    match node.decorators[0].decorator:
        case cst.Call(
            args=[
                cst.Arg(
                    keyword=cst.Name(value="params"),
                    value=cst.List(elements=rows) | cst.Tuple(elements=rows),
                )
            ]
        ):
            return {truth_of(row.value) for row in rows} == {True, False}
    return False


def _put(arg: cst.Arg, *, keep: bool) -> cst.Arg:
    match arg.value:
        case cst.Attribute(value=cst.Name(value="request"), attr=cst.Name(value="param")):
            return arg.with_changes(value=known(truth=keep))
    return arg


def _is_text(node: cst.BaseSmallStatement) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.BaseString)


class _Uses(cst.CSTVisitor):
    """The names that are used otherwise than as parameters and by `usefixtures`."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def visit_Call(self, node: cst.Call) -> bool:
        return last_name(node.func) != _USING

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        # A parameter that is read in the function is looked at.
        found = matchers.findall(node.body, matchers.Name())
        self.read |= {each.value for each in found if isinstance(each, cst.Name)}

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.read.add(str(text_of(node)))
