"""Which names of a file hold the flag's name, wherever they were imported from?

Two modules may well have a constant of one name, with another flag in each: so a name means the
flag only if everything that binds it in its file leads there.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from flagstaff.cleanup.bound import Binding, Imported, bindings
from flagstaff.cleanup.constants import Constant, text_held
from flagstaff.cleanup.modules import Modules
from flagstaff.cleanup.syntax import chain, parsed

_DEEPEST = 12


class Held(StrEnum):
    """What a name holds: the flag's name, an object made of the flag, or another text or flag."""

    NAME = "name"
    OBJECT = "object"
    ELSE = "else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The plain names, and the pairs such as `("Flags", "NEW_MENU")`, that one file has of it."""

    names: frozenset[str] = frozenset()
    attributes: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Meanings:
    """Follows the names of files to what they were given."""

    modules: Modules
    flag: str
    constants: tuple[Constant, ...]
    _bound: dict[str, dict[str, list[Binding]]] = field(default_factory=dict)

    def names(self, path: str, module: ast.Module, held: Held) -> Names:
        """Return the names that hold one thing, and nothing else, in a module."""
        wanted = {constant.name for constant in self.constants}
        if not wanted:
            return Names()
        here = bindings(module.body, deep=True)
        # A name that nothing but classes bind is read within them only.
        inside = {} if "*" in here else bindings(module.body, deep=True, classes=True)
        plain: dict[str, set[Held | None]] = defaultdict(set)
        pairs: dict[tuple[str, str], set[Held | None]] = defaultdict(set)
        for name, bound in (inside | here).items():
            if name in wanted or any(_source(binding) in wanted for binding in bound):
                plain[name].add(self._meaning(path, bound, (), _DEEPEST))
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and node.attr in wanted:
                owner = getattr(node.value, "attr", getattr(node.value, "id", ""))
                first, *rest = chain(node) or ("",)
                found = self._meaning(path, here.get(first, []), tuple(rest), _DEEPEST)
                pairs[owner, node.attr].add(found)
        return Names(
            names=frozenset(name for name, found in plain.items() if found == {held}),
            attributes=frozenset(pair for pair, found in pairs.items() if found == {held}),
        )

    def _meaning(
        self, path: str, bound: list[Binding], rest: tuple[str, ...], left: int
    ) -> Held | None:
        """Return what all bindings of a name agree on, `None` if they do not or it is unknown."""
        found = {self._one(path, binding, rest, left) for binding in bound}
        return found.pop() if len(found) == 1 else None

    def _one(self, path: str, binding: Binding, rest: tuple[str, ...], left: int) -> Held | None:
        match binding:
            case ast.expr() if not rest:
                return self._held(binding)
            case ast.ClassDef() if rest:
                inside = bindings(binding.body).get(rest[0], [])
                return self._meaning(path, inside, rest[1:], left - 1)
            case Imported() if left:
                return self._imported(path, binding, rest, left - 1)
        return None

    def _held(self, value: ast.expr) -> Held | None:
        text = text_held(value)
        if text is None:
            return Held.ELSE if isinstance(value, ast.Constant) else None
        if text != self.flag:
            return Held.ELSE
        return Held.OBJECT if isinstance(value, ast.Call) else Held.NAME

    def _imported(
        self, path: str, binding: Imported, rest: tuple[str, ...], left: int
    ) -> Held | None:
        if binding.name == ".":
            # `import a.b` binds `a`, and is read as `a.b.NAME`.
            parts = (binding.module[0], *rest)
            lengths = range(len(parts) - 1, 0, -1)
            tried = [(parts[:n], parts[n:]) for n in lengths]
        elif not binding.name:
            tried = [(binding.module, rest)]
        else:
            tried = [(binding.module, (binding.name, *rest))]
            if rest:
                tried.insert(0, ((*binding.module, binding.name), rest))
        for module, names in tried:
            files = self.modules.files(path, module, binding.level)
            if files:
                found = {self._within(file, names, left) for file in files}
                return found.pop() if len(found) == 1 else None
        return None

    def _within(self, path: str, names: tuple[str, ...], left: int) -> Held | None:
        if path not in self._bound:
            module = parsed(self.modules.tree.read(path) or b"")
            self._bound[path] = bindings(module.body) if module else {}
        here = self._bound[path]
        if not names:
            return None
        # What a module does not bind itself may come with all the names of another.
        bound = here.get(names[0])
        if bound is not None:
            return self._meaning(path, bound, names[1:], left)
        stars = [each for each in here.get("*", []) if isinstance(each, Imported)]
        origins = [Imported(star.module, star.level, names[0]) for star in stars]
        found = {self._one(path, origin, names[1:], left) for origin in origins} - {None}
        return found.pop() if len(found) == 1 else None


def _source(binding: Binding) -> str:
    return binding.name if isinstance(binding, Imported) else ""
