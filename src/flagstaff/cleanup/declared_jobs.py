"""Which jobs does the code give two names with `renames.declare`, and what is left of one body?

The body is defined once, under either name. When the other name wins, the body takes it on, and
the queue that the declaration sent it to.
"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst

from flagstaff.cleanup.answers import Question, last_name, text_of
from flagstaff.cleanup.changes import OldJob

TASK = {"task", "shared_task", "periodic_task"}
"""What Celery's decorators of a job are called."""

SENDS = {"send_task", "signature", "subtask", "Signature"}
"""Calls whose first argument is the name of a job."""

_KEYS = ("old", "new", "old_queue", "new_queue")
_Body = TypeVar("_Body", cst.FunctionDef, cst.ClassDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A job that the code gives two names, of which `lost` goes; in `queue` it waits from now on.

    A queue is None where routes decide. With `has_one_body` nothing is defined under `kept`.
    """

    job: OldJob
    lost: str
    kept: str
    lost_queue: str | None = None
    queue: str | None = None
    has_one_body: bool = False

    @classmethod
    def of(cls, job: OldJob, *, keep: bool) -> Declared:
        """Decide a job: with `keep` the old name goes, else the new one."""
        old, new = (job.old, job.old_queue), (job.new, job.new_queue)
        (lost, lost_queue), (kept, queue) = (old, new) if keep else (new, old)
        return cls(job=job, lost=lost, kept=kept, lost_queue=lost_queue, queue=queue)


class Declarations(cst.CSTVisitor):
    """Collects the jobs that a module declares two names for, in `found`."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self.found: list[OldJob] = []

    def visit_Expr(self, node: cst.Expr) -> None:
        job = declaration(node, self._question)
        if job is not None:
            self.found.append(job)


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


def is_routed(module: ast.AST, job: str, queue: str) -> bool:
    """Tell whether a literal in a module sends a job to a queue."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == job and isinstance(value, ast.Dict):
                texts = [each.value for each in value.values if isinstance(each, ast.Constant)]
                if queue in texts:
                    return True
    return False


def renamed(body: _Body, job: Declared) -> _Body:
    """Return the body of a job under the name, and in the queue, that stay.

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
    if job.queue is not None:
        call = _with_argument(call, "queue", job.queue, instead_of=job.lost_queue)
    return decorator if call is made else decorator.with_changes(decorator=call)


def _with_argument(call: cst.Call, key: str, value: str, instead_of: str | None = "") -> cst.Call:
    """Return a call with an argument; one that is there is changed where it is `instead_of`."""
    args = list(call.args)
    for index, arg in enumerate(args):
        if arg.keyword is not None and arg.keyword.value == key:
            if instead_of in {"", text_of(arg.value)}:
                args[index] = arg.with_changes(value=_like(arg.value, value))
            return call.with_changes(args=args)
    new = cst.Arg(
        keyword=cst.Name(key),
        value=cst.SimpleString(f'"{value}"'),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
    )
    if not args:
        return call.with_changes(args=[new])
    *before, last = args
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if before and isinstance(before[-1].comma, cst.Comma):
        comma = before[-1].comma
    elif isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        comma = cst.Comma(whitespace_after=call.whitespace_before_args)
    return call.with_changes(
        args=[*before, last.with_changes(comma=comma), new.with_changes(comma=last.comma)]
    )


def _class_body(body: cst.BaseSuite, job: Declared) -> cst.BaseSuite:
    own = any(_assigned(each, "queue") for each in body.body)
    lines = [each for line in body.body for each in _class_lines(line, job, has_queue=own)]
    return body.with_changes(body=lines)


def _class_lines(line: cst.CSTNode, job: Declared, *, has_queue: bool) -> Iterator[cst.CSTNode]:
    """Yield what becomes of a line of a class, and what comes after it."""
    queue = _assigned(line, "queue")
    if job.queue is not None and queue is not None and queue == job.lost_queue:
        yield _reassigned(line, job.queue)
        return
    is_name = _assigned(line, "name") is not None
    yield _reassigned(line, job.kept) if is_name and job.has_one_body else line
    if is_name and job.queue is not None and not has_queue:
        yield cst.parse_statement(f'queue = "{job.queue}"\n')


def _assigned(line: cst.CSTNode, name: str) -> str | None:
    """Return the text that a line of a class gives an attribute."""
    match line:
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=found))], value=value)]
        ) if found == name:
            return text_of(value)
    return None


def _reassigned(line: cst.CSTNode, text: str) -> cst.CSTNode:
    match line:
        case cst.SimpleStatementLine(body=[cst.Assign(value=value) as assign]):
            return line.with_changes(body=[assign.with_changes(value=_like(value, text))])
    return line


def sent(call: cst.Call, heirs: Mapping[str, str]) -> cst.Call:
    """Return a call that sends a job by its name, under the name that stays."""
    if last_name(call.func) not in SENDS or not call.args or call.args[0].keyword is not None:
        return call
    first = call.args[0]
    heir = heirs.get(text_of(first.value) or "")
    if heir is None:
        return call
    return call.with_changes(
        args=[first.with_changes(value=_like(first.value, heir)), *call.args[1:]]
    )


def _like(node: cst.BaseExpression, text: str) -> cst.SimpleString:
    """Return a literal in the quotes of another."""
    quote = node.quote if isinstance(node, cst.SimpleString) else '"'
    return cst.SimpleString(f"{quote}{text}{quote}")
