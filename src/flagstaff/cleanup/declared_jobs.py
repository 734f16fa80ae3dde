"""Which jobs does the code give two names with `renames.declare`, and what is left of them?

The body is defined once, under either name. When the other name wins, the body takes it on, and
what the declaration said of queues is said by Celery's routes.
"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst

from flagstaff.cleanup.answers import Question, last_name, text_of
from flagstaff.cleanup.changes import OldJob
from flagstaff.cleanup.declared_routes import (
    Routing,
    changed_entry,
    made_routes,
    with_entry,
)
from flagstaff.cleanup.job_names import TASK, assigned, job_names
from flagstaff.cleanup.literals import appended, like
from flagstaff.cleanup.markers import Gone

SENDS = {"send_task", "signature", "subtask", "Signature"}
"""Calls whose first argument is the name of a job."""

_KEYS = ("old", "new", "old_queue", "new_queue")
_Body = TypeVar("_Body", cst.FunctionDef, cst.ClassDef)
_Place = TypeVar("_Place", cst.Assign, cst.AnnAssign, cst.Arg, cst.DictElement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A job that the code gives two names, of which `lost` goes; in `queue` it waits from now on.

    A queue is None where nothing was declared of it. With `has_one_body` nothing is defined under
    `kept`.
    """

    job: OldJob
    lost: str
    kept: str
    lost_queue: str | None = None
    queue: str | None = None
    has_one_body: bool = False
    routing: Routing = Routing.SAID

    @classmethod
    def of(cls, job: OldJob, *, keep: bool) -> Declared:
        """Decide a job: with `keep` the old name goes, else the new one."""
        old, new = (job.old, job.old_queue), (job.new, job.new_queue)
        (lost, lost_queue), (kept, queue) = (old, new) if keep else (new, old)
        return cls(job=job, lost=lost, kept=kept, lost_queue=lost_queue, queue=queue)

    def queue_by(self, routing: Routing) -> str:
        """Return the queue, if it is to be said in this way."""
        return (self.queue or "") if self.routing is routing else ""


class Declarations(cst.CSTVisitor):
    """Collects the jobs that a module declares two names for, and of which application."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self.found: list[tuple[OldJob, str]] = []

    def visit_Expr(self, node: cst.Expr) -> None:
        job = declaration(node, self._question)
        if job is not None:
            self.found.append((job, cst.Module([]).code_for_node(_application(node))))


def _application(node: cst.Expr) -> cst.BaseExpression:
    call = node.value
    is_positional = isinstance(call, cst.Call) and call.args and call.args[0].keyword is None
    return call.args[0].value if isinstance(call, cst.Call) and is_positional else cst.Name("app")


def declaration(node: cst.Expr, question: Question) -> OldJob | None:
    """Return the job that a statement gives two names while the flag decides.

    None where it is no such statement, or where a name is no literal.
    """
    call = node.value
    if not isinstance(call, cst.Call) or last_name(call.func) != "declare":
        return None
    given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    if "flag" not in given or not question.is_name(given["flag"]):
        return None
    texts = {key: text_of(given[key]) for key in _KEYS if key in given}
    old, new = texts.get("old"), texts.get("new")
    if not old or not new or None in texts.values():
        return None
    queues = (texts.get("old_queue") or None, texts.get("new_queue") or None)
    return OldJob(old=old, new=new, old_queue=queues[0], new_queue=queues[1])


class DeclaredRemover(cst.CSTTransformer):
    """Take declarations out of a module, and give what they declared the name that stays."""

    def __init__(self, declared: tuple[Declared, ...], module: str, question: Question) -> None:
        super().__init__()
        self._declared, self._module, self._question = declared, module, question
        self._jobs = {each.job for each in declared}
        self._heirs = {each.lost: each.kept for each in declared}
        self._made = [
            (each.kept, queue) for each in declared if (queue := each.queue_by(Routing.MADE))
        ]

    def leave_Expr(
        self, original_node: cst.Expr, updated_node: cst.Expr
    ) -> cst.Expr | cst.Assign | Gone:
        if declaration(original_node, self._question) not in self._jobs:
            return updated_node
        routes, self._made = self._made, []
        return made_routes(_application(updated_node), routes) if routes else Gone()

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        return self._renamed(original_node, updated_node)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        return self._renamed(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        del original_node
        args = updated_node.args
        if last_name(updated_node.func) not in SENDS or not args or args[0].keyword is not None:
            return updated_node
        heir = self._heirs.get(text_of(args[0].value) or "")
        if heir is None:
            return updated_node
        first = args[0].with_changes(value=like(args[0].value, heir))
        return updated_node.with_changes(args=[first, *args[1:]])

    def leave_DictElement(
        self, original_node: cst.DictElement, updated_node: cst.DictElement
    ) -> cst.DictElement:
        key = text_of(original_node.key) or ""
        for each in self._declared:
            whose = {each.kept: Routing.CHANGED, each.lost: Routing.TAKEN_OVER}
            if key in whose and (queue := each.queue_by(whose[key])):
                updated_node = changed_entry(updated_node, each.kept, queue)
        return self._routed(updated_node, key)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        return self._routed(updated_node, last_name(original_node.targets[0].target))

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign:
        return self._routed(updated_node, last_name(original_node.target))

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        keyword = original_node.keyword
        return self._routed(updated_node, "" if keyword is None else keyword.value)

    def _routed(self, place: _Place, name: str) -> _Place:
        for each in self._declared:
            if queue := each.queue_by(Routing.ADDED):
                place = with_entry(place, name, each.kept, queue)
        return place

    def _renamed(self, original: _Body, updated: _Body) -> _Body:
        called = set(job_names(original, self._module))
        for each in self._declared:
            if each.kept in called or (each.lost in called and each.has_one_body):
                return _with_name(updated, each)
        return updated


def _with_name(body: _Body, job: Declared) -> _Body:
    """Return the body of a job under the name that stays.

    A queue of the job's own, which is none of the two, stays as well.
    """
    if isinstance(body, cst.ClassDef):
        return body.with_changes(body=_class_body(body.body, job))
    decorators = [_decorator(each, job) for each in body.decorators]
    return body.with_changes(decorators=decorators)


def _decorator(decorator: cst.Decorator, job: Declared) -> cst.Decorator:
    made = decorator.decorator
    call = made if isinstance(made, cst.Call) else cst.Call(func=made)
    if last_name(call.func) not in TASK:
        return decorator
    if job.has_one_body:
        call = _with_argument(call, "name", job.kept)
    own = any(arg.keyword is not None and arg.keyword.value == "queue" for arg in call.args)
    if job.queue is not None and (own or job.routing is Routing.OWN):
        call = _with_argument(call, "queue", job.queue, instead_of=job.lost_queue)
    return decorator if call is made else decorator.with_changes(decorator=call)


def _with_argument(call: cst.Call, key: str, value: str, instead_of: str | None = "") -> cst.Call:
    """Return a call with an argument; one that is there is changed where it is `instead_of`."""
    args = list(call.args)
    for index, arg in enumerate(args):
        if arg.keyword is not None and arg.keyword.value == key:
            if instead_of in {"", text_of(arg.value)}:
                args[index] = arg.with_changes(value=like(arg.value, value))
            return call.with_changes(args=args)
    new = cst.Arg(
        keyword=cst.Name(key),
        value=cst.SimpleString(f'"{value}"'),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
    )
    return call.with_changes(args=appended(args, new, call.whitespace_before_args))


def _class_body(body: cst.BaseSuite, job: Declared) -> cst.BaseSuite:
    own = any(assigned(each, "queue") for each in body.body)
    lines = [each for line in body.body for each in _class_lines(line, job, has_queue=own)]
    return body.with_changes(body=lines)


def _class_lines(line: cst.CSTNode, job: Declared, *, has_queue: bool) -> Iterator[cst.CSTNode]:
    """Yield what becomes of a line of a class, and what comes after it."""
    queue = assigned(line, "queue")
    if job.queue is not None and queue is not None and queue == job.lost_queue:
        yield _given(line, job.queue)
        return
    is_name = assigned(line, "name") is not None
    yield _given(line, job.kept) if is_name and job.has_one_body else line
    if is_name and not has_queue and (queue := job.queue_by(Routing.OWN)):
        yield cst.parse_statement(f'queue = "{queue}"\n')


def _given(line: cst.CSTNode, text: str) -> cst.CSTNode:
    match line:
        case cst.SimpleStatementLine(body=[cst.Assign(value=value) as assign]):
            return line.with_changes(body=[assign.with_changes(value=like(value, text))])
    return line
