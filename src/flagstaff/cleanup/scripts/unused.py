"""Which imports and names of a script did only the removed code use?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ast_grep_py import SgNode

from flagstaff.cleanup.scripts.asking import last_name
from flagstaff.cleanup.scripts.elements import without_element
from flagstaff.cleanup.scripts.expressions import is_pure
from flagstaff.cleanup.scripts.names import is_module, without_declarator
from flagstaff.cleanup.scripts.source import (
    GONE,
    Change,
    Edit,
    Script,
    meaningful,
    replace,
    same,
    span,
)

_NAMES = ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern")
_FUNCTIONS = {"function_declaration", "generator_function_declaration"}
_MADE = {"arrow_function", "function_expression", "generator_function"}
_MAKERS = {"lazy", "memo", "forwardRef", "loadable", "dynamic", "createSelector"}
_TAGS = ("styled", "css", "gql", "keyframes")
# Elements of a page use these without naming them.
_DRAWING = {"React", "h", "Preact", "preact", "jsx", "Fragment"}


def unused(start: Script, now: Script) -> Iterator[Change]:
    """Yield what drops the imports and names that were in use at the start, and no longer are."""
    before, after = _uses(start), _uses(now)
    lost = {name for name in before if before[name] > after[name] > 0} - _DRAWING
    if not lost:
        return
    gone = {name for name in lost if after[name] == 1}
    for statement in now.root.find_all(kind="import_statement"):
        yield from _imports(statement, gone)
    if not is_module(now.root):
        return
    for declarator in now.root.find_all(kind="variable_declarator"):
        yield from _variable(declarator, gone, lost, after)
    for kind in sorted(_FUNCTIONS):
        for function in now.root.find_all(kind=kind):
            name = function.field("name")
            if name is not None and name.text() in lost and _is_own(function, name, after):
                yield from _dropped(function)


def _uses(script: Script) -> Counter[str]:
    kinds = _NAMES if script.language == "javascript" else (*_NAMES, "type_identifier")
    return Counter(node.text() for kind in kinds for node in script.root.find_all(kind=kind))


def _imports(statement: SgNode, gone: set[str]) -> Iterator[Change]:
    clause = next((c for c in statement.named_children() if c.kind() == "import_clause"), None)
    if clause is None:
        return
    parts = meaningful(clause)
    doomed = [part for part in parts if _is_unused(part, gone)]
    if len(doomed) == len(parts):
        yield (replace(statement, f"{GONE};"),)
    elif doomed and same(doomed[0], parts[0]):
        yield (Edit(span(parts[0])[0], span(parts[1])[0]),)
    elif doomed:
        yield (Edit(span(parts[-2])[1], span(parts[-1])[1]),)
    for part in parts:
        if part.kind() == "named_imports" and not _is_unused(part, gone):
            for specifier in meaningful(part):
                if _local(specifier) in gone:
                    yield (without_element(specifier),)


def _is_unused(part: SgNode, gone: set[str]) -> bool:
    if part.kind() == "named_imports":
        specifiers = meaningful(part)
        return bool(specifiers) and all(_local(each) in gone for each in specifiers)
    return _local(part) in gone


def _local(node: SgNode) -> str:
    """Return the name by which a script knows what it imports."""
    if node.kind() == "identifier":
        return node.text()
    names = meaningful(node)
    return names[-1].text() if names else ""


def _variable(
    declarator: SgNode, gone: set[str], lost: set[str], after: Counter[str]
) -> Iterator[Change]:
    name, value = declarator.field("name"), declarator.field("value")
    declaration = declarator.parent()
    if name is None or value is None or declaration is None:
        return
    place = declaration.parent()
    if place is None or place.kind() not in {"program", "statement_block"}:
        return
    if name.kind() == "object_pattern" and last_name(value) == "require":
        entries = meaningful(name)
        doomed = [each for each in entries if _local(each) in gone or each.text() in gone]
        if len(doomed) == len(entries):
            yield _closed(without_declarator(declarator, declaration))
        else:
            for entry in doomed:
                yield (without_element(entry),)
        return
    if name.kind() != "identifier" or name.text() not in lost:
        return
    if _is_quiet(value) and _is_own(declarator, name, after):
        yield _closed(without_declarator(declarator, declaration))


def _closed(edit: Edit) -> Change:
    return (edit,)


def _is_own(node: SgNode, name: SgNode, after: Counter[str]) -> bool:
    """Tell whether nothing but itself uses what is declared."""
    pattern = f"^{name.text().replace('$', chr(92) + '$')}$"
    within = [each for kind in _NAMES for each in node.find_all(kind=kind, regex=pattern)]
    return len(within) == after[name.text()]


def _is_quiet(value: SgNode) -> bool:
    """Tell whether nothing happens while a value is made."""
    match value.kind():
        case kind if kind in _MADE:
            return True
        case "array":
            return all(_is_quiet(each) for each in meaningful(value))
        case "object":
            entries = meaningful(value)
            return all(
                each.kind() == "shorthand_property_identifier"
                or (
                    each.kind() == "pair"
                    and (inner := each.field("value")) is not None
                    and _is_quiet(inner)
                )
                for each in entries
            )
        case "call_expression":
            name, given = last_name(value), value.field("arguments")
            if given is not None and given.kind() == "template_string":
                return value.text().startswith(_TAGS)
            return name in {*_MAKERS, "require"}
    return is_pure(value)


def _dropped(function: SgNode) -> Iterator[Change]:
    parent = function.parent()
    if parent is not None and parent.kind() in {"program", "statement_block"}:
        yield (replace(function, f"{GONE};"),)
