"""Where is a flag used?"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from flagstaff.cleanup.asking import asks, is_question, parts
from flagstaff.cleanup.bound import binds_otherwise
from flagstaff.cleanup.changes import Reference, ReferenceKind
from flagstaff.cleanup.constants import Constant, constants_in, local_names, texts_of
from flagstaff.cleanup.data.entries import variable_of
from flagstaff.cleanup.data.files import data_references, is_data
from flagstaff.cleanup.declared import conventions_of
from flagstaff.cleanup.meanings import Held, Meanings
from flagstaff.cleanup.modules import Modules
from flagstaff.cleanup.patterns import DEFAULT, Conventions, camel, spelled, word
from flagstaff.cleanup.scripts.references import script_constants, script_references
from flagstaff.cleanup.scripts.source import SCRIPTS
from flagstaff.cleanup.syntax import chain, parsed
from flagstaff.cleanup.tree import GitTree, Tree


def find_references(root: Path, flag: str, *, base: str = "HEAD") -> tuple[Reference, ...]:
    """Return every line that speaks of `flag` in the commit `base`, sorted by place.

    Python and scripts are read by their syntax, other text by whole words, as they are or in
    camelCase; binary files are left out.

    Raises:
        NotFound: `root` is no git repository, or has no commit `base`.
        UsageError: the project declares its ways of asking in a way that says nothing.
    """
    tree = GitTree.at(root, base)
    return references_in(tree, flag, conventions_of(tree))


def references_in(
    tree: Tree, flag: str, conventions: Conventions = DEFAULT
) -> tuple[Reference, ...]:
    """Return every line of a tree that speaks of `flag`, sorted by place."""
    constants = find_constants(tree, flag)
    meanings = Meanings(Modules(tree), flag, constants)
    named = script_constants(tree, flag)
    names = {each.name for each in constants} | {each.name for each in named}
    words = {flag, camel(flag), *names, *conventions.wrapping(flag)}
    variable = {variable_of(flag)} - {""}
    found: set[Reference] = set()
    for path in tree.containing(words | variable):
        content = tree.read(path) or b""
        if is_data(path, conventions, flag):
            found.update(data_references(path, content, flag))
            continue
        if not any(each.encode() in content for each in words):
            continue
        if conventions.is_definition(path, flag):
            found.add(_definition(path, content))
        elif path.endswith(".py"):
            found.update(_python(path, content, meanings, conventions))
        elif path.endswith(SCRIPTS):
            found.update(script_references(path, content, flag, (conventions, named)))
        else:
            found.update(text_references(path, content, spelled(flag)))
    return tuple(sorted(found))


def find_constants(tree: Tree, flag: str) -> tuple[Constant, ...]:
    """Return the names that hold the flag's name anywhere in the tree."""
    found: list[Constant] = []
    for path in tree.containing((flag,)):
        if path.endswith(".py") and (module := parsed(tree.read(path) or b"")):
            found += constants_in(path, module, flag)
    return tuple(found)


def text_behind(tree: Tree, flag: str, conventions: Conventions = DEFAULT) -> str:
    """Return the flag's name in texts, where `flag` is the name of the constant that holds it.

    It is no such constant where its own name stands in quotes, where anything else bears the name,
    or where no question is asked with it.
    """
    if not (flag.isidentifier() and flag.isupper()):
        return flag
    texts, asked = set(), False
    for path in tree.containing((flag,)):
        content = tree.read(path) or b""
        if re.search(rf"([\"']){flag}\1".encode(), content):
            return flag
        module = parsed(content) if path.endswith(".py") else None
        if module is not None:
            if binds_otherwise(module, flag):
                return flag
            texts |= texts_of(module, flag)
            asked = asked or _is_asked(module, flag, conventions)
    # A setting may well be a text, but hardly one of the words of its own name.
    names = {text for text in texts if parts(text) & parts(flag) and " " not in text}
    return names.pop() if asked and len(names) == len(texts) == 1 else flag


def _is_asked(module: ast.Module, name: str, conventions: Conventions) -> bool:
    """Tell whether a question is asked with the constant, or of the object, `name`."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        *owner, function = chain(node.func) or ("",)
        known = {*conventions.handles, *conventions.overrides}
        question = conventions.pattern(function) or function in known
        question = question or asks(function, ".".join(owner)) is not None
        values = (*node.args, *(keyword.value for keyword in node.keywords))
        if question and any(name in chain(value) for value in values):
            return True
        if name in chain(node.func)[:-1] and is_question(function):
            return True
    return False


def text_references(
    path: str,
    content: bytes,
    pattern: re.Pattern[str],
    kind: ReferenceKind = ReferenceKind.TEXT,
) -> Iterator[Reference]:
    """Yield the lines of a text that match a pattern."""
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if pattern.search(line):
            yield Reference(path=path, line=number, kind=kind, text=line.strip())


def _definition(path: str, content: bytes) -> Reference:
    """Return the line of a definition that says the flag's name, or its first one."""
    lines = content.decode("utf-8", "replace").splitlines() or [""]
    number = next((n for n, each in enumerate(lines, 1) if each.startswith("name:")), 1)
    text = lines[number - 1].strip()
    return Reference(path=path, line=number, kind=ReferenceKind.DEFINITION, text=text)


def _python(
    path: str, content: bytes, meanings: Meanings, conventions: Conventions
) -> Iterator[Reference]:
    module, flag, constants = parsed(content), meanings.flag, meanings.constants
    if module is None:
        yield from text_references(path, content, word(flag), ReferenceKind.UNREADABLE)
        return
    # What may hold the flag's name is told as well, but not what holds another one for certain.
    others = meanings.names(path, module, Held.ELSE)
    names = local_names(module, path, constants) - others.names
    finder = _Finder(flag, conventions, names)
    finder.attributes = {(c.owner, c.name) for c in constants} - others.attributes
    finder.visit(module)
    finder.comments(content)
    lines = content.decode("utf-8", "replace").splitlines()
    for number, kind in sorted(finder.found.items()):
        text = lines[number - 1].strip() if number <= len(lines) else ""
        yield Reference(path=path, line=number, kind=kind, text=text)


class _Finder(ast.NodeVisitor):
    """The lines of a module that speak of the flag; the first reason found is the one that counts.

    Callers are visited before what they hold, so a line with a call is a call.
    """

    def __init__(self, flag: str, conventions: Conventions, names: frozenset[str]) -> None:
        self._flag = flag
        self._pattern = word(flag)
        self._conventions = conventions
        self._names = names
        self.attributes: set[tuple[str, str]] = set()
        self.found: dict[int, ReferenceKind] = {}

    def visit_Call(self, node: ast.Call) -> None:
        function = getattr(node.func, "attr", getattr(node.func, "id", ""))
        kind = None
        if self._conventions.wrapper(function, self._flag):
            self._add(node.lineno, ReferenceKind.CALL)
        if self._conventions.pattern(function) or function in self._conventions.details:
            kind = ReferenceKind.CALL
        elif function in self._conventions.handles:
            kind = ReferenceKind.HANDLE
        elif function in self._conventions.overrides:
            kind = ReferenceKind.OVERRIDE
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            if kind and self._is_name(value):
                self._add(value.lineno, kind)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Constant) and node.value.value == self._flag:
            self._add(node.lineno, ReferenceKind.CONSTANT)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if node.value == self._flag:
            self._add(node.lineno, ReferenceKind.STRING)
        elif isinstance(node.value, str) and self._flag in node.value:
            for offset, line in enumerate(node.value.splitlines()):
                if self._pattern.search(line):
                    self._add(node.lineno + offset, ReferenceKind.TEXT)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == self._flag or node.id in self._names:
            self._add(node.lineno, ReferenceKind.IDENTIFIER)

    def visit_alias(self, node: ast.alias) -> None:
        if node.name == self._flag or (node.asname or node.name) in self._names:
            self._add(node.lineno, ReferenceKind.IDENTIFIER)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == self._flag or self._is_name(node):
            self._add(node.lineno, ReferenceKind.IDENTIFIER)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name == self._flag:
            self._add(node.lineno, ReferenceKind.IDENTIFIER)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg == self._flag:
            self._add(node.lineno, ReferenceKind.IDENTIFIER)
        self.generic_visit(node)

    def comments(self, content: bytes) -> None:
        """Add the comments that speak of the flag."""
        with contextlib.suppress(tokenize.TokenError):
            for token in tokenize.tokenize(io.BytesIO(content).readline):
                if token.type == tokenize.COMMENT and self._pattern.search(token.string):
                    self._add(token.start[0], ReferenceKind.COMMENT)

    def _is_name(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=value):
                return value == self._flag
            case ast.Name(id=name):
                return name in self._names
            case ast.Attribute(value=ast.Attribute() as owner, attr="value" | "name"):
                return self._is_name(owner)
            case ast.Attribute(value=owner, attr=name):
                last = getattr(owner, "attr", getattr(owner, "id", ""))
                return (last, name) in self.attributes
        return False

    def _add(self, line: int, kind: ReferenceKind) -> None:
        self.found.setdefault(line, kind)
