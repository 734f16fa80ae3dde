"""Which file of the repository may a module be that is imported?"""

from __future__ import annotations

from dataclasses import dataclass, field

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

    def _index(self) -> dict[str, list[str]]:
        if not self._known:
            for path in self.tree.paths():
                if path.endswith(".py"):
                    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
                    self._known.setdefault(parts[-1], []).append(path)
        return self._known
