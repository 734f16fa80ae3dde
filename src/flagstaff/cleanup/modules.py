"""Which file of the repository may a module be that is imported?"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from flagstaff.cleanup.elsewhere import is_code
from flagstaff.cleanup.syntax import parsed
from flagstaff.cleanup.tree import Tree


@dataclass(frozen=True, slots=True)
class Modules:
    """The Python files of a tree, by the last part of their modules' names."""

    tree: Tree
    _known: dict[str, list[str]] = field(default_factory=dict)

    def files(self, path: str, module: tuple[str, ...], level: int = 0) -> list[str]:
        """Return the files that a module may be which is imported in the file at `path`.

        Args:
            path: where it is imported.
            module: the parts of its name.
            level: how many dots stand before it.
        """
        if level:
            base = "/".join([*path.split("/")[:-level], *module])
            names = (f"{base}.py", f"{base}/__init__.py")
            return [name for name in names if self.tree.read(name) is not None]
        tail = "/".join(module)
        found = [
            (file.removesuffix(".py").removesuffix("/__init__").removesuffix(tail), file)
            for file in self._index().get(module[-1], [])
        ]
        found = [(root, file) for root, file in found if not root or root.endswith("/")]
        # Where one repository holds several programs, each imports its own.
        near = [file for root, file in found if path.startswith(root)]
        return near or [file for _, file in found]

    def imports(self, path: str) -> bool:
        """Tell whether any file imports the module at `path`, or says its name otherwise."""
        stem = path.removesuffix(".py").rpartition("/")[2]
        if stem == "__init__":
            return True
        for other in self.tree.containing((stem,)):
            module = parsed(self.tree.read(other) or b"") if other.endswith(".py") else None
            if module is None:
                if is_code(other) and path.removesuffix(".py") in self._slashed(other):
                    return True
                continue
            for node in ast.walk(module):
                if path in self._imported(other, node):
                    return True
        return False

    def _imported(self, path: str, node: ast.AST) -> list[str]:
        match node:
            case ast.Import(names=names):
                named = [(tuple(alias.name.split(".")), 0) for alias in names]
            case ast.ImportFrom(module=origin, names=names, level=level):
                parts = tuple(origin.split(".")) if origin else ()
                named = [((*parts, alias.name), level) for alias in names]
                named += [(parts, level)] if parts else []
            case ast.Constant(value=str() as text) if text.replace(".", "a").isidentifier():
                named = [(tuple(text.split(".")), 0)]
            case _:
                named = []
        return [file for module, level in named for file in self.files(path, module, level)]

    def _slashed(self, path: str) -> str:
        return (self.tree.read(path) or b"").decode("utf-8", "replace").replace(".", "/")

    def _index(self) -> dict[str, list[str]]:
        if not self._known:
            for path in self.tree.paths():
                if path.endswith(".py"):
                    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
                    self._known.setdefault(parts[-1], []).append(path)
        return self._known
