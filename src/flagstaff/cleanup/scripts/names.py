"""Which names of a script only ever hold the flag's answer?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ast_grep_py import SgNode

from flagstaff.cleanup.scripts.source import GONE, Change, Edit, meaningful, replace, same, span

_BODIES = {"program", "statement_block"}
_FUNCTIONS = {
    *("function_declaration", "function_expression", "arrow_function", "method_definition"),
    *("generator_function", "generator_function_declaration"),
}
_BINDING = {
    *("formal_parameters", "rest_pattern", "array_pattern", "import_clause", "namespace_import"),
    *("import_specifier", "catch_clause", "required_parameter", "optional_parameter"),
    *("pair_pattern", "object_assignment_pattern", "update_expression", "export_specifier"),
    *("type_query", "type_predicate", "asserts", "jsx_namespace_name", "nested_identifier"),
}
_NAMED = {
    "variable_declarator": "name",
    "assignment_pattern": "left",
    "assignment_expression": "left",
    "augmented_assignment_expression": "left",
    "for_in_statement": "left",
    "function_declaration": "name",
    "function_expression": "name",
    "generator_function": "name",
    "generator_function_declaration": "name",
    "class_declaration": "name",
    "class": "name",
    "enum_declaration": "name",
    "arrow_function": "parameter",
}
_READ = ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern")


def is_written(node: SgNode) -> bool:
    """Tell whether a name is bound or assigned here, or stands where only a name can."""
    parent = node.parent()
    if node.kind() == "shorthand_property_identifier_pattern":
        return True
    if parent is None or parent.kind() in _BINDING:
        return True
    if parent.kind() == "unary_expression" and parent.text().startswith("delete"):
        return True
    place = _NAMED.get(parent.kind())
    return place is not None and same(parent.field(place), node)


@dataclass(frozen=True, slots=True)
class Scope:
    """The block in which a variable is known, and how far that can be told."""

    block: SgNode
    declaration: SgNode
    is_exported: bool

    @classmethod
    def of(cls, declarator: SgNode, root: SgNode) -> Scope | None:
        """Return the scope of a declaration that stands as a statement in a block."""
        declaration = declarator.parent()
        block = None if declaration is None else declaration.parent()
        if declaration is None or block is None:
            return None
        exported = block.kind() == "export_statement"
        if exported:
            block = block.parent()
        if block is None or block.kind() not in _BODIES:
            return None
        owner = block.parent()
        if declaration.kind() == "variable_declaration" and (
            owner is not None and owner.kind() not in _FUNCTIONS
        ):
            return None
        # Without imports or exports, other scripts of a page share its names.
        shared = owner is None and not is_module(root)
        return cls(block, declaration, exported or shared)

    def uses(self, name: SgNode) -> list[SgNode]:
        """Return all places of a name in the block, but for the one where it is declared."""
        found = [
            each
            for kind in _READ
            for each in self.block.find_all(kind=kind, regex=f"^{_escaped(name.text())}$")
        ]
        return [each for each in found if span(each) != span(name)]


def is_module(root: SgNode) -> bool:
    """Tell whether a script shares its names only by exporting them."""
    kinds = {child.kind() for child in root.named_children()}
    if kinds & {"import_statement", "export_statement"}:
        return True
    return root.find(kind="identifier", regex="^(?:require|module|exports)$") is not None


def propagated(marker: SgNode, root: SgNode) -> Change | None:
    """Return what puts an answer in the place of the variable that is given it."""
    declarator = marker.parent()
    if declarator is None or declarator.kind() != "variable_declarator":
        return None
    name, scope = declarator.field("name"), Scope.of(declarator, root)
    if name is None or scope is None or name.kind() != "identifier":
        return None
    uses = scope.uses(name)
    if any(is_written(use) for use in uses):
        return None
    hoisted = scope.declaration.kind() == "variable_declaration"
    if hoisted and any(span(use)[0] < span(declarator)[0] for use in uses):
        return None
    edits = [_answered(use, marker.text()) for use in uses]
    if not scope.is_exported:
        edits.append(without_declarator(declarator, scope.declaration))
    return tuple(edits) or None


def without_declarator(declarator: SgNode, declaration: SgNode) -> Edit:
    """Return the edit that takes one name out of a declaration."""
    others = [each for each in meaningful(declaration) if not same(each, declarator)]
    if not others:
        return replace(declaration, f"{GONE};")
    start, end = span(declarator)
    after = next((each for each in others if span(each)[0] > start), None)
    if after is not None:
        return Edit(start, span(after)[0])
    return Edit(max(span(each)[1] for each in others), end)


def declared(block: SgNode) -> Iterator[str]:
    """Yield the names which the statements of a block declare for the block alone."""
    for statement in block.named_children():
        match statement.kind():
            case "lexical_declaration":
                for declarator in meaningful(statement):
                    name = declarator.field("name")
                    if name is not None:
                        yield from _bound(name)
            case kind if kind.endswith("_declaration"):
                name = statement.field("name")
                if name is not None:
                    yield name.text()


def _bound(pattern: SgNode) -> Iterator[str]:
    if pattern.kind() in _READ:
        yield pattern.text()
    for kind in _READ:
        yield from (each.text() for each in pattern.find_all(kind=kind))


def _answered(use: SgNode, answer: str) -> Edit:
    if use.kind() == "shorthand_property_identifier":
        return replace(use, f"{use.text()}: {answer}")
    return replace(use, answer)


def _escaped(name: str) -> str:
    return name.replace("$", r"\$")
