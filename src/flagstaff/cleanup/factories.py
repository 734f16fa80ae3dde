"""In which state do the factories of a repository's tests make a flag?"""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from flagstaff.cleanup.answers import STATE_KEYWORDS
from flagstaff.cleanup.asking import lists_flags
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.tree import Tree

_FACTORY = re.compile(rb"^class (\w+Factory)\b", re.MULTILINE)


def factories_in(tree: Tree) -> dict[str, bool]:
    """Return the state that factories such as `FeatureFlagFactory` give a flag unless told."""
    found: dict[str, set[bool | None]] = defaultdict(set)
    for path in tree.containing(("Factory",)):
        content = tree.read(path) or b""
        names = [name.decode() for name in _FACTORY.findall(content)]
        if not path.endswith(".py") or not any(lists_flags(name) for name in names):
            continue
        module = parsed(content)
        for node in module.body if module else ():
            if module and isinstance(node, ast.ClassDef) and lists_flags(node.name):
                found[node.name].add(_state(node, module))
    sure = {name: states.pop() for name, states in found.items() if len(states) == 1}
    return {name: state for name, state in sure.items() if state is not None}


def _state(factory: ast.ClassDef, module: ast.Module) -> bool | None:
    """Return the state that a factory gives, or else one that it is made from in the module."""
    states = [
        statement.value.value
        for statement in factory.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, bool)
        and {getattr(target, "id", "") for target in statement.targets} & STATE_KEYWORDS
    ]
    if states:
        return states[0] if len(states) == 1 else None
    bases = {getattr(base, "id", "") for base in factory.bases} - {factory.name}
    inherited = {
        _state(node, module)
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name in bases and node.lineno < factory.lineno
    }
    return inherited.pop() if len(inherited) == 1 else None
