"""Do other files use a name of this one?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flagstaff.cleanup.patterns import word
from flagstaff.cleanup.tree import Tree

READERS = (
    *(".html", ".htm", ".txt", ".jinja", ".jinja2", ".j2", ".djhtml", ".xml", ".haml", ".mako"),
    *(".vue", ".svelte", ".js", ".jsx", ".ts", ".tsx", ".tmpl", ".tpl", ".pyx", ".ipynb"),
)
"""What the templates, and the programs in other languages, are called that may read a name."""

_DATA = (".pyi", ".yml", ".yaml", ".toml", ".json", ".cfg", ".ini", ".sh", ".env")
_CODE = (".py", *_DATA, *READERS)


def is_code(path: str) -> bool:
    """Tell whether a program, rather than a person, reads a file."""
    return path.endswith(_CODE) or "." not in path.rpartition("/")[2]


def is_history(path: str) -> bool:
    """Tell whether a file is a changelog, which says what it said."""
    if path.endswith(".py"):
        return False
    parts = path.lower().split("/")
    folders = {"changes", "changelog", "changelogs", "changelog.d", "newsfragments"}
    return parts[-1].startswith(("changelog", "changes", "history", "news")) or bool(
        folders & set(parts[:-1])
    )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The files of `tree` other than the module at `path`."""

    tree: Tree
    path: str

    def uses(self, name: str) -> bool:
        """Tell whether any other file imports `name` from this module or reaches it as its part."""
        if self.path.endswith("__init__.py"):
            return True
        return any(self._used_in(path, name) for path in self._naming(name))

    def importers(self, name: str) -> tuple[str, ...]:
        """Return the paths of the other Python files that use `name` of this module."""
        found = self._naming(name)
        return tuple(p for p in found if p.endswith(".py") and self._used_in(p, name))

    def _naming(self, name: str) -> list[str]:
        """Return the files that hold both names as plain text: few of them are worth reading."""
        return sorted(
            {*self.tree.containing((self._stem,))}.intersection(self.tree.containing((name,)))
        )

    def _used_in(self, path: str, name: str) -> bool:
        if path == self.path or not is_code(path):
            return False
        text = (self.tree.read(path) or b"").decode("utf-8", "replace")
        stem = re.escape(self._stem)
        imports = re.finditer(rf"\b{stem}\s+import\s*(\([^)]*\)|[^\n]*(?:\\\n[^\n]*)*)", text)
        if any("*" in found[1] or word(name).search(found[1]) for found in imports):
            return True
        aliases = "|".join([stem, *re.findall(rf"\b{stem}\s+as\s+(\w+)", text)])
        return re.search(rf"\b(?:{aliases})[.:]{re.escape(name)}\b", text) is not None

    @property
    def _stem(self) -> str:
        parts = self.path.removesuffix(".py").split("/")
        return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
