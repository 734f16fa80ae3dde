"""Which functions, and objects of the flag, do tests have answer something else?

`patch("app.views.is_new", return_value=True)` pins the flag as well, if `is_new` only asks for it.
"""

from __future__ import annotations

import ast
import re

from flagstaff.cleanup.syntax import chain, parsed
from flagstaff.cleanup.tree import Tree


def is_only_pinned(tree: Tree, name: str) -> bool:
    """Tell whether every text that ends with a name is that of a pin, with a truth for an answer.

    A pin is a statement, or stands in a `with`; one that is a decorator hands the test a double.
    """
    quoted = re.compile(rf"""["'](?:[\w.]*[.:])?{re.escape(name)}["']""")
    for path in tree.containing((name,)):
        content = tree.read(path) or b""
        if not path.endswith(".py") or not quoted.search(content.decode("utf-8", "replace")):
            continue
        module = parsed(content)
        if module is None:
            return False
        pins = {id(text) for text in _pinned(module)}
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                last = re.split("[.:]", node.value)[-1]
                if last == name and id(node) not in pins:
                    return False
    return True


def _pinned(module: ast.Module) -> list[ast.expr]:
    """Return the texts of what is patched with a truth."""
    calls = []
    for node in ast.walk(module):
        match node:
            case ast.Expr(value=ast.Call() as call):
                calls.append(call)
            case ast.withitem(context_expr=ast.Call() as call, optional_vars=None):
                calls.append(call)
    return [
        call.args[0]
        for call in calls
        if len(call.args) == len(call.keywords) == 1
        and (chain(call.func) or ("",))[-1] == "patch"
        and call.keywords[0].arg == "return_value"
        and isinstance(call.keywords[0].value, ast.Constant)
        and isinstance(call.keywords[0].value.value, bool)
    ]
