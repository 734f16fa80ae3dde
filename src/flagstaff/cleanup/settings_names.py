"""How does a flag go that is a setting: `settings.NEW_MENU`, defined as `NEW_MENU = False`?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

import ast

import libcst as cst

from flagstaff.cleanup.markers import Gone
from flagstaff.cleanup.patterns import word


def is_defined_only(module: ast.Module, text: str, name: str) -> bool:
    """Tell whether a module mentions a setting only where it gives it a value."""
    lines = text.splitlines()
    for node in _definitions(module, name):
        for number in range(node.lineno - 1, min(node.end_lineno or node.lineno, len(lines))):
            lines[number] = ""
    code = "\n".join(line.partition("#")[0] for line in lines)
    return word(name).search(code) is None


def defines(module: ast.Module, name: str) -> bool:
    """Tell whether a module, or a class of it, gives a setting its value."""
    return bool(_definitions(module, name))


def _definitions(module: ast.Module, name: str) -> list[ast.stmt]:
    bodies = [module.body]
    bodies += [node.body for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    return [
        statement
        for body in bodies
        for statement in body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _target(statement) == name
    ]


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


class SettingRemover(cst.CSTTransformer):
    """Drop the statements of modules and classes that give a setting its value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        del node
        return False

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node.targets:
            case [cst.AssignTarget(target=cst.Name(value=name))] if name == self._name:
                return Gone()
        return updated_node

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.BaseSmallStatement:
        del original_node
        match updated_node.target:
            case cst.Name(value=name) if name == self._name:
                return Gone()
        return updated_node
