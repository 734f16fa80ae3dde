"""What is a function, or a class, called as a background job?"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flagstaff.cleanup.answers import last_name, text_of

TASK = {"task", "shared_task", "periodic_task"}
"""What Celery's decorators of a job are called."""

_DECORATORS = {*TASK, "job", "actor"}


def job_names(node: cst.FunctionDef | cst.ClassDef, module: str) -> Iterator[str]:
    """Yield the names of a job; one that is not given is that of its module and its own."""
    own = f"{module}.{node.name.value}"
    if isinstance(node, cst.ClassDef):
        yield _class_name(node) or own
        return
    for decorator in node.decorators:
        call = decorator.decorator
        function = call.func if isinstance(call, cst.Call) else call
        if last_name(function) in _DECORATORS:
            yield (given_name(call) if isinstance(call, cst.Call) else None) or own


def given_name(call: cst.Call) -> str | None:
    """Return the name a task or queue is given: `name=`, or the first argument."""
    for index, arg in enumerate(call.args):
        keyword = arg.keyword.value if arg.keyword else None
        if keyword in {"name", "actor_name"} or (index == 0 and keyword is None):
            return text_of(arg.value)
    return None


def _class_name(node: cst.ClassDef) -> str | None:
    return next((name for line in node.body.body if (name := assigned(line, "name"))), None)


def assigned(line: cst.CSTNode, name: str) -> str | None:
    """Return the text that a line of a class gives an attribute."""
    match line:
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=found))], value=value)]
        ) if found == name:
            return text_of(value)
    return None
