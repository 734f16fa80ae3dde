"""What binds the names of a module?"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Imported:
    """A module, or with `name` something out of it, as an import gives it."""

    module: tuple[str, ...]
    level: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """Something whose value is only known when the program runs."""


Binding: TypeAlias = Imported | ast.ClassDef | ast.expr | Other
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def bindings(
    body: Sequence[ast.stmt], *, deep: bool = False, classes: bool = False
) -> dict[str, list[Binding]]:
    """Return what each name is bound to by statements; `deep` counts the functions within as well.

    A star is a name as well: it stands for all the names of the modules it imports. What only
    classes bind is theirs, and is left out without `classes`.
    """
    found: dict[str, list[Binding]] = defaultdict(list)
    in_classes: dict[str, list[Binding]] = defaultdict(list)
    for node, in_class in _nodes(body, deep=deep):
        for name, binding in _bound(node):
            (in_classes if in_class else found)[name].append(binding)
    for name, more in in_classes.items():
        # Within its class such a name may hide the module's; elsewhere nothing is bound by it.
        if name in found or classes:
            found[name] += more
    return dict(found)


def binds_otherwise(module: ast.Module, name: str) -> bool:
    """Tell whether a name is bound, by a module or a class of it, to other than one fixed value."""
    bodies = [module.body]
    bodies += [node.body for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    return any(
        not isinstance(each, ast.Constant | ast.Call | Imported)
        or (isinstance(each, Imported) and each.name != name)
        for deep, body in enumerate(bodies)
        for each in bindings(body, deep=not deep).get(name, ())
    )


def _nodes(body: Sequence[ast.stmt], *, deep: bool) -> Iterator[tuple[ast.AST, bool]]:
    waiting: list[tuple[ast.AST, bool]] = [(statement, False) for statement in body]
    while waiting:
        node, in_class = waiting.pop()
        yield node, in_class
        if isinstance(node, _Scope) and not deep:
            # Only what a function says to be the module's own matters outside of it.
            yield from ((n, False) for n in ast.walk(node) if isinstance(n, ast.Global))
            continue
        inside = isinstance(node, ast.ClassDef)
        around = in_class and not isinstance(node, _Scope)
        waiting += [(child, inside or around) for child in ast.iter_child_nodes(node)]


def _bound(node: ast.AST) -> Iterator[tuple[str, Binding]]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                module = tuple(alias.name.split("."))
                yield alias.asname or module[0], Imported(module, name="" if alias.asname else ".")
        case ast.ImportFrom(module=module, names=names, level=level):
            origin = tuple(module.split(".")) if module else ()
            for alias in names:
                yield alias.asname or alias.name, Imported(origin, level, alias.name)
        case ast.ClassDef(name=name):
            yield name, node
        case (
            ast.FunctionDef(name=str() as name)
            | ast.AsyncFunctionDef(name=str() as name)
            | ast.ExceptHandler(name=str() as name)
            | ast.MatchAs(name=str() as name)
            | ast.MatchStar(name=str() as name)
            | ast.MatchMapping(rest=str() as name)
            | ast.arg(arg=name)
        ):
            yield name, Other()
        case ast.Assign(targets=targets, value=value):
            yield from ((t.id, value) for t in targets if isinstance(t, ast.Name))
            yield from ((name, Other()) for t in targets for name in _unpacked(t))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.Global(names=names):
            yield from ((name, Other()) for name in names)
        case ast.AugAssign(target=target) | ast.NamedExpr(target=target):
            yield from ((name, Other()) for name in _stored(target))
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from ((name, Other()) for name in _stored(target))
        case ast.comprehension(target=target) | ast.withitem(optional_vars=ast.expr() as target):
            yield from ((name, Other()) for name in _stored(target))
        case ast.Delete(targets=targets):
            yield from ((t.id, Other()) for t in targets if isinstance(t, ast.Name))


def _unpacked(target: ast.expr) -> Iterator[str]:
    if not isinstance(target, ast.Name):
        yield from _stored(target)


def _stored(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
