"""How is a job sent to its queue, once the declaration that did so is gone?

Celery's routes are where that belongs: an entry of them is changed, or added to a literal, or, in a
repository without any, the routes are made. Where routes are no literal, the job itself says it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeVar

import libcst as cst

from flagstaff.cleanup.answers import text_of
from flagstaff.cleanup.literals import appended, like

ROUTES = "task_routes"
"""Celery's setting; in Django's settings it is `CELERY_TASK_ROUTES`."""

_Place = TypeVar("_Place", cst.Assign, cst.AnnAssign, cst.Arg, cst.DictElement)


class Routing(StrEnum):
    """What is to be done for a job to come into its queue."""

    SAID = "routes say it"
    CHANGED = "its entry is changed"
    TAKEN_OVER = "it takes over the entry of the name that goes"
    ADDED = "an entry is added to the routes"
    MADE = "routes are made"
    OWN = "the job says it"


def routing(modules: Iterable[ast.AST], lost: str, kept: str, queue: str) -> Routing:
    """Return how a job comes into its queue under the name that stays.

    Args:
        modules: every file that names one of the jobs, or the setting.
        lost: the name that goes.
        kept: the name that stays.
        queue: where it is to wait.
    """
    entries: list[tuple[str, str]] = []
    literal = other = False
    for module in modules:
        for value in _settings(module):
            literal |= isinstance(value, ast.Dict)
            other |= not isinstance(value, ast.Dict)
        entries += _entries(module)
    exact = {key: value for key, value in entries if key in {lost, kept}}
    if kept in exact:
        return Routing.SAID if exact[kept] == queue else Routing.CHANGED
    if lost in exact:
        return Routing.TAKEN_OVER
    matching = [value for key, value in entries if "*" in key and fnmatchcase(kept, key)]
    if matching == [queue]:
        return Routing.SAID
    if other:
        return Routing.OWN
    return Routing.ADDED if literal else Routing.MADE


def _settings(module: ast.AST) -> Iterator[ast.AST]:
    """Yield what the routes are set to."""
    for node in ast.walk(module):
        match node:
            case ast.keyword(arg=str(name), value=value):
                found = [(name, value)]
            case ast.Assign(targets=targets, value=value):
                found = [(_name(target), value) for target in targets]
            case ast.AnnAssign(target=target, value=ast.AST() as value):
                found = [(_name(target), value)]
            case ast.Dict(keys=keys, values=values):
                found = [
                    (str(key.value), value)
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant)
                ]
            case _:
                continue
        yield from (value for name, value in found if is_routes(name))


def _name(target: ast.AST) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def is_routes(name: str) -> bool:
    """Tell whether a setting is Celery's routes."""
    return name.lower().endswith(ROUTES)


def _entries(module: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each job that a literal of a module sends to a queue, and the queue."""
    for node in ast.walk(module):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Dict):
                    fields = {
                        field.value: text.value
                        for field, text in zip(value.keys, value.values, strict=True)
                        if isinstance(field, ast.Constant) and isinstance(text, ast.Constant)
                    }
                    if isinstance(key.value, str) and isinstance(fields.get("queue"), str):
                        yield key.value, str(fields["queue"])


def with_entry(place: _Place, name: str, job: str, queue: str) -> _Place:
    """Return a setting with one entry more, if it is the routes and a literal."""
    value = place.value
    if not is_routes(name) or not isinstance(value, cst.Dict):
        return place
    opening = value.lbrace.whitespace_after
    elements = appended(value.elements, _entry(job, queue), opening)
    return place.with_changes(value=value.with_changes(elements=elements))


def changed_entry(entry: cst.DictElement, job: str, queue: str) -> cst.DictElement:
    """Return an entry of the routes for another job and queue; what else it says stays."""
    value = entry.value
    if not isinstance(value, cst.Dict):
        return entry
    fields = [
        field.with_changes(value=like(field.value, queue))
        if isinstance(field, cst.DictElement) and text_of(field.key) == "queue"
        else field
        for field in value.elements
    ]
    return entry.with_changes(key=like(entry.key, job), value=value.with_changes(elements=fields))


def made_routes(app: cst.BaseExpression, jobs: Iterable[tuple[str, str]]) -> cst.Assign:
    """Return the statement that makes the routes of an application."""
    entries = [_entry(job, queue) for job, queue in jobs]
    conf = cst.Attribute(value=app, attr=cst.Name("conf"))
    target = cst.AssignTarget(cst.Attribute(value=conf, attr=cst.Name(ROUTES)))
    return cst.Assign(targets=[target], value=cst.Dict(entries))


def _entry(job: str, queue: str) -> cst.DictElement:
    field = cst.DictElement(cst.SimpleString('"queue"'), cst.SimpleString(f'"{queue}"'))
    return cst.DictElement(cst.SimpleString(f'"{job}"'), cst.Dict([field]))
