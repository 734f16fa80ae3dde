"""Which names of a repository's scripts hold the flag's name, and where do its tables list it?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ast_grep_py import SgNode

from flagstaff.cleanup.asking import lists_flags
from flagstaff.cleanup.patterns import camel
from flagstaff.cleanup.scripts.elements import without_element
from flagstaff.cleanup.scripts.names import without_declarator
from flagstaff.cleanup.scripts.source import (
    GONE,
    Change,
    Edit,
    Script,
    alone,
    replace,
    same,
    span,
)

_LOUD = 8
_CASTS = {"as_expression", "satisfies_expression"}
_ENTRIES = {"pair": "key", "enum_assignment": "name", "property_signature": "name"}
_FIELDS = {"field_definition": "property", "public_field_definition": "name"}
_TEXTS = {"true", "false", "null", "string", "number", "undefined", "template_string"}
_HOLDERS = {
    "variable_declarator": "name",
    "enum_declaration": "name",
    "interface_declaration": "name",
    "type_alias_declaration": "name",
    "class_declaration": "name",
    "pair": "key",
}


@dataclass(frozen=True, slots=True, order=True)
class ScriptConstant:
    """A name that holds the flag's name; without an owner it is a variable of its script."""

    path: str
    owner: str
    name: str


def constants_in(path: str, script: Script, flag: str) -> Iterator[ScriptConstant]:
    """Yield the variables, and the entries of objects, enums and classes, that hold the name."""
    for node, name in _holding(script, flag):
        if node.kind() == "variable_declarator":
            yield ScriptConstant(path, "", name)
        else:
            yield ScriptConstant(path, _owner(node), name)


def local_names(script: Script, path: str, constants: Collection[ScriptConstant]) -> frozenset[str]:
    """Return the plain names which mean one of the constants in the script at `path`."""
    plain = [constant for constant in constants if not constant.owner]
    names = {constant.name for constant in plain if constant.path == path}
    for statement in script.root.find_all(kind="import_statement"):
        source = statement.field("source")
        origin = "" if source is None else _stem(source.text()[1:-1])
        for specifier in statement.find_all(kind="import_specifier"):
            given = specifier.named_children()
            if any(_is_meant(c, given[0].text(), origin) for c in plain):
                names.add(given[-1].text())
    return frozenset(names)


def without_constants(
    script: Script, flag: str, doomed: Collection[ScriptConstant]
) -> Iterator[Change]:
    """Yield what drops the constants that nothing names any more."""
    for node, name in _holding(script, flag):
        if node.kind() == "variable_declarator":
            declaration = node.parent()
            if declaration is None or not any(c.name == name and not c.owner for c in doomed):
                continue
            around = declaration.parent()
            edit = without_declarator(node, declaration)
            if edit.text and around is not None and around.kind() == "export_statement":
                edit = replace(around, f"{GONE};")
            yield (edit,)
        elif any(c.name == name and c.owner == _owner(node) for c in doomed):
            yield (_without_entry(node),)


def without_listings(script: Script, flag: str) -> Iterator[Change]:
    """Yield what drops the flag from the tables and types whose names say that they list flags."""
    pattern = f"^[\"'`]?(?:{re.escape(flag)}|{re.escape(camel(flag))})[\"'`]?$"
    for node in script.root.find_all(regex=pattern):
        parent = node.parent()
        if parent is None or not node.is_named():
            continue
        match parent.kind():
            case "array" if node.kind() == "string" and lists_flags(_holder(parent)):
                yield (without_element(node),)
            case "pair" if same(parent.field("key"), node) and _is_text(parent.field("value")):
                if lists_flags(_holder(parent)):
                    yield (without_element(parent),)
            case "property_signature" if lists_flags(_holder(parent)):
                yield (_without_entry(parent),)
            case "literal_type" if lists_flags(_holder(parent)):
                union = parent.parent()
                edit = _without_variant(parent)
                if union is not None and union.kind() == "union_type" and edit is not None:
                    yield (edit,)


def _holding(script: Script, flag: str) -> Iterator[tuple[SgNode, str]]:
    """Yield each node that gives a name the flag's name."""
    for text in script.root.find_all(kind="string", regex=f"^.{re.escape(flag)}.$"):
        parent = text.parent()
        while parent is not None and parent.kind() in _CASTS:
            parent = parent.parent()
        if parent is None:
            continue
        place = {**_ENTRIES, **_FIELDS, "variable_declarator": "name"}.get(parent.kind())
        name = None if place is None else parent.field(place)
        if name is None or same(name, text):
            continue
        if parent.kind() == "variable_declarator" and not _is_constant(parent):
            continue
        if name.kind() in {"identifier", "property_identifier"}:
            yield parent, name.text()


def _is_meant(constant: ScriptConstant, name: str, origin: str) -> bool:
    """Tell whether a name imported from a file called `origin` is the constant."""
    loud = name.isupper() and len(name) >= _LOUD
    return constant.name == name and (loud or _stem(constant.path) == origin)


def _is_constant(declarator: SgNode) -> bool:
    declaration = declarator.parent()
    return declaration is not None and declaration.text().startswith("const")


def _owner(node: SgNode) -> str:
    """Return the name of the object, enum or class in which an entry stands."""
    parent = node.parent()
    while parent is not None:
        place = _HOLDERS.get(parent.kind())
        name = None if place is None else parent.field(place)
        if name is not None:
            return name.text().strip("\"'")
        if parent.kind() in {"arguments", "statement_block", "array", "arrow_function"}:
            return ""
        parent = parent.parent()
    return ""


def _holder(node: SgNode) -> str:
    """Return the name of the variable or type to which a table belongs."""
    parent = node.parent()
    while parent is not None and parent.kind() not in {"arguments", "statement_block"}:
        name = parent.field("name") if parent.kind() in _HOLDERS else None
        if name is not None and name.kind() in {"identifier", "type_identifier"}:
            return name.text()
        parent = parent.parent()
    return ""


def _without_entry(node: SgNode) -> Edit:
    """Take an entry away: of an enum with its comma, of an interface with its semicolon."""
    if node.kind() != "property_signature":
        return without_element(node)
    text = node.get_root().root().text()
    start, end = span(node)
    found = re.compile(r"[ \t]*[;,]").match(text, end)
    end = found.end() if found else end
    return Edit(*(alone(text, start, end) or (start, end)))


def _without_variant(variant: SgNode) -> Edit | None:
    """Take one text out of a type that is one of several."""
    text = variant.get_root().root().text()
    bar, start, end = variant.prev(), *span(variant)
    if bar is not None and bar.text() == "|":
        lines = alone(text, span(bar)[0], end)
        if lines is not None:
            return Edit(*lines)
        return Edit(len(text[: span(bar)[0]].rstrip()), end)
    bar = variant.next()
    after = None if bar is None else bar.next()
    return None if after is None else Edit(start, span(after)[0])


def _is_text(value: SgNode | None) -> bool:
    return value is not None and value.kind() in _TEXTS


def _stem(path: str) -> str:
    parts = re.sub(r"\.\w+$", "", path).split("/")
    return parts[-2] if parts[-1] == "index" and len(parts) > 1 else parts[-1]
