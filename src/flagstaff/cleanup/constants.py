"""Which names of a module hold the flag's name, or an object made of it?"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from flagstaff.cleanup.asking import makes_flag

_LOUD = 8


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Constant:
    """A name that holds the flag's name: `owner` is its class, or the stem of its module."""

    path: str
    owner: str
    name: str
    line: int
    in_class: bool
    is_object: bool = False


def constants_in(path: str, module: ast.Module, flag: str) -> tuple[Constant, ...]:
    """Return the constants of a module, and of its classes, whose value is the flag's name."""
    stem = path.rpartition("/")[2].removesuffix(".py")
    if stem == "__init__":
        stem = path.rpartition("/")[0].rpartition("/")[2]
    found = [
        Constant(path=path, owner=stem, name=name, line=line, in_class=False, is_object=is_object)
        for name, line, is_object in _assigned(module.body, flag)
    ]
    for statement in ast.walk(module):
        if isinstance(statement, ast.ClassDef):
            found += [
                Constant(
                    path=path,
                    owner=statement.name,
                    name=name,
                    line=line,
                    in_class=True,
                    is_object=is_object,
                )
                for name, line, is_object in _assigned(statement.body, flag)
            ]
    return tuple(found)


def _assigned(body: Sequence[ast.stmt], flag: str) -> list[tuple[str, int, bool]]:
    found = []
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if text_held(value) == flag:
                found.append((name, statement.lineno, isinstance(value, ast.Call)))
    return found


def texts_of(module: ast.Module, name: str) -> set[str]:
    """Return the texts that a module, or a class of it, gives the constant `name`."""
    bodies = [module.body]
    bodies += [node.body for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    return {
        text
        for body in bodies
        for statement in body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
        for target in (
            statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        )
        if isinstance(target, ast.Name)
        and target.id == name
        and (text := text_held(statement.value)) is not None
    }


def text_held(value: ast.expr) -> str | None:
    """Return the flag's name that a constant, or an object made of a flag, holds."""
    match value:
        case ast.Constant(value=str() as text):
            return text
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if makes_flag(name):
            texts = [
                each.value
                for each in (*value.args, *(keyword.value for keyword in value.keywords))
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            return texts[0] if len(texts) == 1 else None
    return None


def is_loud(name: str) -> bool:
    """Tell whether a constant's name is its own wherever it is imported from."""
    return name.isupper() and len(name) >= _LOUD


def local_names(module: ast.Module, path: str, constants: Sequence[Constant]) -> frozenset[str]:
    """Return the plain names which mean one of the constants in the module at `path`."""
    here = {c.name for c in constants if c.path == path and not c.in_class}
    # Assigned twice, a name may hold something else by the time it is read.
    stored = [
        n.id for n in ast.walk(module) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    names = {name for name in here if stored.count(name) == 1}
    importable = {(c.owner, c.name) for c in constants if not c.in_class}
    known = {name for _, name in importable}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            origin = (node.module or "").rpartition(".")[2]
            names |= {
                alias.asname or alias.name
                for alias in node.names
                if (
                    (origin, alias.name) in importable
                    or (alias.name in known and is_loud(alias.name))
                )
                and (alias.asname or alias.name) not in stored
            }
    return frozenset(names)
