"""Where in a statement does an expression stand, and may an answer stand there instead?

What reads as a question may give back an object, a number or a text. Where only its truth counts,
the answer does as well; where more is done with it, it is no plain question and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

import libcst as cst

from flagstaff.cleanup.asking import answers_truth
from flagstaff.cleanup.owners import chain_of

_WAITING = frozenset(
    {"gather", "create_task", "ensure_future", "wait_for", "shield", "as_completed"}
    | {"run_until_complete", "run_coroutine_threadsafe", "start_soon", "async_to_sync"}
)
_LOOPS = frozenset({"asyncio.run", "asyncio.wait", "anyio.run", "trio.run"})
"""What takes something to wait for, which an answer is not."""


class Place(Enum):
    """What is done with an expression: only its truth counts, or it is used as no truth can be."""

    TRUTH = "truth"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Kept:
    """An expression whose value a name keeps."""

    name: str


_Mark = Place | Kept


class Positions:
    """What is done with the expressions of a module, as it is found on the way down."""

    def __init__(self) -> None:
        self._marks: dict[int, _Mark] = {}
        self._module: cst.Module | None = None
        self._used: frozenset[str] | None = None

    def allows(self, node: cst.BaseExpression, *, certain: bool) -> bool:
        """Tell whether an answer may stand in a place; `certain` if it surely was a truth."""
        mark = self._marks.get(id(node))
        if mark is Place.USED:
            return False
        if certain or mark is Place.TRUTH:
            return True
        return isinstance(mark, Kept) and mark.name not in self._names_used()

    def see(self, node: cst.CSTNode) -> None:
        """Learn what a node does with those right below it, before they are visited."""
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node)
        elif isinstance(node, cst.Module):
            self._module = node

    def mark(self, nodes: Iterable[cst.CSTNode | None], mark: _Mark | None) -> None:
        """Say what is done with some nodes."""
        for node in nodes:
            if node is not None and mark is not None:
                self._marks[id(node)] = mark

    def of(self, node: cst.CSTNode) -> _Mark | None:
        """Return what is done with a node, as far as it is known."""
        return self._marks.get(id(node))

    def _names_used(self) -> frozenset[str]:
        """Return the names that anything but the truth of is asked for anywhere in the module."""
        if self._used is None:
            visitor = _Names()
            if self._module is not None:
                self._module.visit(visitor)
            self._used = frozenset(visitor.used)
        return self._used


class _Names(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()
        self._positions = Positions()
        self._written: set[int] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        self._positions.see(node)
        match node:
            case cst.AssignTarget(target=cst.Name() as name) | cst.Param(name=name):
                self._written.add(id(name))
            case cst.Arg(keyword=cst.Name() as name) | cst.Attribute(attr=name):
                self._written.add(id(name))
            case cst.Import() | cst.ImportFrom():
                return False
            case cst.Name() if id(node) not in self._written:
                if self._positions.of(node) is not Place.TRUTH:
                    self.used.add(node.value)
        return True


def _tested(positions: Positions, node: cst.CSTNode) -> None:
    positions.mark((getattr(node, "test", None), getattr(node, "guard", None)), Place.TRUTH)


def _choice(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.IfExp)  # noqa: S101  for the type checker
    positions.mark((node.test,), Place.TRUTH)
    positions.mark((node.body, node.orelse), positions.of(node))


def _operation(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.BooleanOperation)  # noqa: S101
    positions.mark((node.left, node.right), positions.of(node))


def _unary(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.UnaryOperation)  # noqa: S101
    is_not = isinstance(node.operator, cst.Not)
    positions.mark((node.expression,), Place.TRUTH if is_not else Place.USED)


def _comparison(positions: Positions, node: cst.CSTNode) -> None:
    match node:
        case cst.Comparison(
            comparisons=[
                cst.ComparisonTarget(
                    operator=cst.Is() | cst.Equal() | cst.IsNot() | cst.NotEqual(),
                    comparator=cst.Name(value="True" | "False"),
                )
            ]
        ):
            positions.mark((node.left,), Place.TRUTH)
        case cst.Comparison():
            others = (target.comparator for target in node.comparisons)
            positions.mark((node.left, *others), Place.USED)


def _awaited(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.Await)  # noqa: S101
    positions.mark((node.expression,), positions.of(node))


def _call(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.Call)  # noqa: S101
    positions.mark((node.func,), Place.USED)
    names = chain_of(node.func)
    if names and (names[-1] in _WAITING or ".".join(names) in _LOOPS):
        positions.mark(_coroutines(node), Place.USED)
    for arg in node.args:
        if arg.star:
            positions.mark((arg.value,), Place.USED)
        elif arg.keyword is not None and answers_truth(arg.keyword.value):
            positions.mark((arg.value,), Place.TRUTH)
    match node:
        case cst.Call(func=cst.Name(value="bool"), args=[cst.Arg(value=value)]):
            positions.mark((value,), Place.TRUTH)
        case cst.Call(
            func=cst.Name(value="all" | "any"),
            args=[cst.Arg(value=cst.List(elements=items) | cst.Tuple(elements=items))],
        ):
            positions.mark((item.value for item in items), Place.TRUTH)


def _coroutines(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Yield what is handed to something that waits for it, in a list as well."""
    for arg in node.args:
        yield arg.value
        if isinstance(arg.value, cst.List | cst.Tuple | cst.Set):
            yield from (element.value for element in arg.value.elements)


def _owned(positions: Positions, node: cst.CSTNode) -> None:
    positions.mark((getattr(node, "value", None), getattr(node, "item", None)), Place.USED)


def _iterated(positions: Positions, node: cst.CSTNode) -> None:
    positions.mark((getattr(node, "iter", None),), Place.USED)


def _computed(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.BinaryOperation)  # noqa: S101
    positions.mark((node.left, node.right), Place.USED)


def _assigned(positions: Positions, node: cst.CSTNode) -> None:
    match node:
        case _ if positions.of(node) is Place.USED:
            return
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
            positions.mark((value,), Kept(name))
        case cst.AnnAssign(target=cst.Name(value=name), value=value):
            positions.mark((value,), Kept(name))


def _function(positions: Positions, node: cst.CSTNode) -> None:
    assert isinstance(node, cst.FunctionDef)  # noqa: S101
    if answers_truth(node.name.value):
        returned = _Returned()
        node.body.visit(returned)
        positions.mark(returned.values, Place.TRUTH)


def _class(positions: Positions, node: cst.CSTNode) -> None:
    # What a class keeps is read as a part of it, from anywhere.
    assert isinstance(node, cst.ClassDef)  # noqa: S101
    lines = [line for line in node.body.body if isinstance(line, cst.SimpleStatementLine)]
    positions.mark((small for line in lines for small in line.body), Place.USED)


class _Returned(cst.CSTVisitor):
    """The values that a function itself returns."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[cst.CSTNode | None] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Return):
            self.values.append(node.value)
        return not isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda)


_HANDLERS: dict[type[cst.CSTNode], Callable[[Positions, cst.CSTNode], None]] = {
    **dict.fromkeys((cst.If, cst.While, cst.Assert, cst.CompIf, cst.MatchCase), _tested),
    **dict.fromkeys((cst.Attribute, cst.Subscript, cst.StarredElement, cst.WithItem), _owned),
    cst.StarredDictElement: _owned,
    **dict.fromkeys((cst.For, cst.CompFor), _iterated),
    **dict.fromkeys((cst.Assign, cst.AnnAssign), _assigned),
    cst.IfExp: _choice,
    cst.BooleanOperation: _operation,
    cst.UnaryOperation: _unary,
    cst.Comparison: _comparison,
    cst.Await: _awaited,
    cst.Call: _call,
    cst.BinaryOperation: _computed,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
}
