"""Which names of background jobs, and of queues, disappear with the flag?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import libcst as cst

from flagstaff.cleanup.answers import last_name, text_of
from flagstaff.cleanup.changes import OldJob
from flagstaff.cleanup.declared_jobs import Declared
from flagstaff.cleanup.job_names import given_name, job_names
from flagstaff.cleanup.literals import like, without
from flagstaff.cleanup.markers import Gone, gone

_Sequence = TypeVar("_Sequence", cst.List, cst.Tuple, cst.Set)
_FIELDS = {"task", "queue", "name", "routing_key", "exchange"}
_QUEUE_FIELDS = {"queue", "routing_key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Losers:
    """The names that go: `jobs` maps each to the name that stays, `queues` likewise.

    `kept` are functions and classes of this file that are still called, so they stay. `declared`
    are the jobs that the code itself gives two names.
    """

    flag: str
    module: str = ""
    jobs: tuple[tuple[str, str], ...] = ()
    queues: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    declared: tuple[Declared, ...] = ()

    @property
    def without_one_body(self) -> Losers:
        """Return the names without those whose body stays, under the other name."""
        staying = {each.lost for each in self.declared if each.has_one_body}
        return replace(self, jobs=tuple(job for job in self.jobs if job[0] not in staying))

    def heir(self, name: str | None) -> str | None:
        """Return the name that stays for a job that goes."""
        return dict(self.jobs).get(name or "")


def losers(flag: str, renames: Sequence[OldJob], *, keep: bool) -> Losers:
    """Return the names on the losing side: the old ones when the flag's answer stays on."""
    jobs, queues, staying = [], set(), set()
    for job in renames:
        old, new = (job.old, job.new) if keep else (job.new, job.old)
        lost, kept = (job.old_queue, job.new_queue) if keep else (job.new_queue, job.old_queue)
        if old != new:
            jobs.append((old, new))
        staying |= {kept}
        queues |= {lost} if lost else set()
    return Losers(flag=flag, jobs=tuple(jobs), queues=frozenset(queues - staying))


def module_name(path: str) -> str:
    """Return the dotted name of a module, as a worker imports it."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] in {"src", "lib"}:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def job_of(node: cst.FunctionDef | cst.ClassDef, names: Losers) -> str | None:
    """Return the losing job which a function or class is, `None` if it is none."""
    return next((each for each in job_names(node, names.module) if names.heir(each)), None)


def job_definitions(module: cst.Module, names: Losers) -> tuple[str, ...]:
    """Return the functions and classes of a module that are losing jobs."""
    return tuple(
        statement.name.value
        for statement in module.body
        if isinstance(statement, cst.FunctionDef | cst.ClassDef) and job_of(statement, names)
    )


def queue_uses(tree: ast.AST, queue: str, names: Losers) -> Iterator[int]:
    """Yield the lines where something other than a losing job is sent to a queue."""
    match tree:
        case (
            ast.FunctionDef(decorator_list=decorators)
            | ast.AsyncFunctionDef(decorator_list=decorators)
        ) if any(names.heir(v) for d in decorators for v in _strings(d)):
            return
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                text = _string(key)
                if names.heir(text):
                    continue
                if _string(value) == queue and (text in _QUEUE_FIELDS or _is_default(text)):
                    yield value.lineno
                yield from queue_uses(value, queue, names)
            return
        case ast.keyword(arg=name, value=value) if _string(value) == queue:
            if name == "queue" or _is_default(name):
                yield value.lineno
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
            if _string(value) == queue and _is_default(name):
                yield value.lineno
    for child in ast.iter_child_nodes(tree):
        yield from queue_uses(child, queue, names)


def _is_default(name: str | None) -> bool:
    """Tell whether a setting is the queue of jobs that have no route."""
    return (name or "").lower().endswith("default_queue")


def _strings(node: ast.AST) -> list[str]:
    return [text for part in ast.walk(node) if (text := _string(part)) is not None]


def _string(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


class JobRemover(cst.CSTTransformer):
    """Take the losing jobs, and the entries of literals that name them, out of a module."""

    def __init__(self, names: Losers) -> None:
        super().__init__()
        self._names = names
        self._about_queues = [False]
        self._classes: set[str] = set()

    def visit_Assign(self, node: cst.Assign) -> None:
        self._enter(" ".join(last_name(target.target) for target in node.targets))

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        del original_node
        self._about_queues.pop()
        return updated_node

    def visit_Arg(self, node: cst.Arg) -> None:
        self._enter(node.keyword.value if node.keyword else "")

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        del original_node
        self._about_queues.pop()
        return updated_node

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._enter(last_name(node.target))

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign:
        del original_node
        self._about_queues.pop()
        return updated_node

    def visit_DictElement(self, node: cst.DictElement) -> None:
        self._enter(text_of(node.key) or "")

    def leave_DictElement(
        self, original_node: cst.DictElement, updated_node: cst.DictElement
    ) -> cst.DictElement:
        self._about_queues.pop()
        # A scheduled entry goes on under the name that stays.
        heir = self._names.heir(text_of(updated_node.value))
        if text_of(original_node.key) == "task" and heir:
            return updated_node.with_changes(value=like(updated_node.value, heir))
        return updated_node

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.SimpleStatementLine:
        goes = job_of(original_node, self._names) and not self._is_kept(original_node)
        return gone(updated_node) if goes else updated_node

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef | cst.SimpleStatementLine:
        if not job_of(original_node, self._names) or self._is_kept(original_node):
            return updated_node
        self._classes.add(original_node.name.value)
        return gone(updated_node)

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr | Gone:
        del original_node
        match updated_node.value:
            case cst.Call(args=[cst.Arg(value=value)]) as call:
                made = value.func if isinstance(value, cst.Call) else value
                registers = last_name(call.func) in {"register_task", "register"}
                if registers and last_name(made) in self._classes:
                    return Gone()
        return updated_node

    def leave_List(self, original_node: cst.List, updated_node: cst.List) -> cst.List:
        return self._filtered(original_node, updated_node)

    def leave_Tuple(self, original_node: cst.Tuple, updated_node: cst.Tuple) -> cst.Tuple:
        return self._filtered(original_node, updated_node)

    def leave_Set(self, original_node: cst.Set, updated_node: cst.Set) -> cst.Set:
        return self._filtered(original_node, updated_node)

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        tasks = [_task_of(element) for element in original_node.elements]
        doomed = [
            self._entry_goes(element)
            or (self._names.heir(task) is not None and self._names.heir(task) in tasks)
            for element, task in zip(original_node.elements, tasks, strict=True)
        ]
        return without(updated_node, doomed) if any(doomed) else updated_node

    def _filtered(self, original: _Sequence, updated: _Sequence) -> _Sequence:
        doomed = [self._element_goes(element) for element in original.elements]
        return without(updated, doomed) if any(doomed) else updated

    def _element_goes(self, element: cst.BaseElement) -> bool:
        match element.value:
            case cst.Tuple(elements=[first, second]) if isinstance(second.value, cst.Dict):
                return self._names.heir(text_of(first.value)) is not None
            case cst.Call(func=function, args=args) if args:
                if last_name(function) == "Rename":
                    return any(
                        arg.keyword is not None
                        and arg.keyword.value == "flag"
                        and text_of(arg.value) == self._names.flag
                        for arg in args
                    )
                name = given_name(element.value) if last_name(function) == "Queue" else None
                return name in self._names.queues
        return self._is_loser(text_of(element.value))

    def _entry_goes(self, element: cst.BaseDictElement) -> bool:
        if not isinstance(element, cst.DictElement):
            return False
        key = text_of(element.key)
        if key not in _FIELDS and self._is_loser(text_of(element.value)):
            return True
        return self._is_loser(key)

    def _is_loser(self, text: str | None) -> bool:
        # The name of a queue may mean anything elsewhere.
        queue = self._about_queues[-1] and text in self._names.queues
        return queue or self._names.heir(text) is not None

    def _is_kept(self, node: cst.FunctionDef | cst.ClassDef) -> bool:
        return node.name.value in self._names.kept

    def _enter(self, name: str) -> None:
        about = any(part in name.lower() for part in ("queue", "route"))
        self._about_queues.append(about or self._about_queues[-1])


def _task_of(element: cst.BaseDictElement) -> str | None:
    """Return the job which an entry of a schedule starts."""
    if isinstance(element.value, cst.Dict):
        for field in element.value.elements:
            if isinstance(field, cst.DictElement) and text_of(field.key) == "task":
                return text_of(field.value)
    return None
