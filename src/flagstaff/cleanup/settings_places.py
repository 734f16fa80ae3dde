"""Is this statement the value of a setting, and does this module read it?

A field of a model, or a name that only looks like the flag's, must not be taken for a setting.
"""

from __future__ import annotations

import ast

from flagstaff.cleanup.asking import holds_flags, parts
from flagstaff.cleanup.bound import bindings
from flagstaff.cleanup.syntax import chain

_PLACES = frozenset({"config", "configs", "configuration", "settings", "setting", "conf", "env"})
_READERS = frozenset({"env", "environ", "getenv"})
_CONVERTING = frozenset({"bool", "str", "int", "float", "strtobool", "config", "Field"})
_METHODS = frozenset({"lower", "upper", "strip"})
_ELUSIVE = (ast.NamedExpr, ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom, ast.comprehension)


def is_setting_only(module: ast.Module, path: str, name: str) -> bool:
    """Tell whether nothing but the values of settings bears the name in a module."""
    here = bool(parts(path) & _PLACES)
    return not any(
        (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name)
        or (
            isinstance(node, ast.ClassDef)
            and not (here or _holds_settings(node))
            and name in bindings(node.body)
        )
        for node in ast.walk(module)
    )


def are_values(module: ast.Module, path: str, name: str) -> bool:
    """Tell whether all that gives `name` a value in a module are settings with plain values."""
    here = bool(parts(path) & _PLACES)
    if name in bindings(module.body) and not here:
        return False
    bodies = [module.body]
    bodies += [node.body for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    return all(
        _is_plain(statement)
        for body in bodies
        for statement in body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and name in {getattr(target, "id", "") for target in _targets(statement)}
    )


def reads(module: ast.Module, name: str) -> bool:
    """Tell whether a module reads a setting, as `settings.NAME` or by its name in quotes."""
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=owner, attr=attr) if attr == name:
                found = holds_flags((chain(owner) or ("",))[-1])
            case ast.Subscript(slice=ast.Constant(value=value)) if value == name:
                found = isinstance(node.ctx, ast.Load)
            case ast.Call(args=[ast.Constant(value=value), *_]) if value == name:
                # Where it is read from the environment it gets its value, which is no question.
                found = (chain(node.func) or ("",))[-1] == "get" and not _is_reader(node)
            case ast.Call(args=[_, ast.Constant(value=value), *_]) if value == name:
                found = (chain(node.func) or ("",))[-1] == "getattr"
            case _:
                found = False
        if found:
            return True
    return False


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]


def _holds_settings(node: ast.ClassDef) -> bool:
    names = [node.name, *(each for base in node.bases for each in chain(base)[-1:])]
    return any(parts(name) & _PLACES or holds_flags(name) for name in names)


def _is_plain(statement: ast.Assign | ast.AnnAssign) -> bool:
    """Tell whether a value is fixed, or read from the environment, and nothing happens by it."""
    if statement.value is None:
        return True
    for node in ast.walk(statement.value):
        if isinstance(node, _ELUSIVE) or (isinstance(node, ast.Call) and not _is_reader(node)):
            return False
    return True


def _is_reader(call: ast.Call) -> bool:
    names = chain(call.func)
    if not names:
        return isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS
    return names[-1] in _CONVERTING or any(parts(name) & _READERS for name in names)
