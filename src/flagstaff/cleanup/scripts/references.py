"""Where does a script speak of a flag, and how?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ast_grep_py import SgNode

from flagstaff.cleanup.asking import asks
from flagstaff.cleanup.changes import Reference, ReferenceKind
from flagstaff.cleanup.patterns import Conventions, camel, spelled
from flagstaff.cleanup.scripts.asking import last_name
from flagstaff.cleanup.scripts.constants import ScriptConstant, constants_in, local_names
from flagstaff.cleanup.scripts.source import SCRIPTS, Script, Unreadable, read_script
from flagstaff.cleanup.tree import Tree

_IDENTIFIERS = {
    *("identifier", "property_identifier", "shorthand_property_identifier", "type_identifier"),
    "shorthand_property_identifier_pattern",
}
_ORDER = (
    *(ReferenceKind.CALL, ReferenceKind.CONSTANT, ReferenceKind.STRING),
    *(ReferenceKind.IDENTIFIER, ReferenceKind.COMMENT, ReferenceKind.TEXT),
)


def script_constants(tree: Tree, flag: str) -> tuple[ScriptConstant, ...]:
    """Return the names that hold the flag's name in any script of a tree."""
    found: list[ScriptConstant] = []
    for path in tree.containing((flag,)):
        script = _script(path, tree.read(path) or b"") if path.endswith(SCRIPTS) else None
        if script is not None:
            found += constants_in(path, script, flag)
    return tuple(found)


def script_references(
    path: str,
    content: bytes,
    flag: str,
    context: tuple[Conventions, Collection[ScriptConstant]],
) -> Iterator[Reference]:
    """Yield the lines of a script that speak of the flag, each with the weightiest of its ways."""
    conventions, constants = context
    script = _script(path, content)
    names = local_names(script, path, constants) if script else frozenset()
    pattern = spelled(flag)
    kinds: dict[int, set[ReferenceKind]] = {}
    if script is not None:
        owned = {(constant.owner, constant.name) for constant in constants if constant.owner}
        for node, kind in _spoken(script, flag, names, conventions):
            kinds.setdefault(node.range().start.line + 1, set()).add(kind)
        for node in script.root.find_all(kind="member_expression"):
            owner, name = node.field("object"), node.field("property")
            if owner and name and (last_name(owner), name.text()) in owned:
                place = name.range().start.line + 1
                kinds.setdefault(place, set()).add(ReferenceKind.IDENTIFIER)
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if number in kinds or pattern.search(line):
            kind = _weightiest(kinds.get(number, set()), is_readable=script is not None)
            yield Reference(path=path, line=number, kind=kind, text=line.strip())


def _weightiest(kinds: Collection[ReferenceKind], *, is_readable: bool) -> ReferenceKind:
    if not is_readable:
        return ReferenceKind.UNREADABLE
    return next((kind for kind in _ORDER if kind in kinds), ReferenceKind.TEXT)


def _spoken(
    script: Script, flag: str, names: Collection[str], conventions: Conventions
) -> Iterator[tuple[SgNode, ReferenceKind]]:
    # The pattern of a whole word looks around, which the parser's own patterns cannot.
    for node in script.root.find_all(regex="|".join(map(re.escape, (flag, camel(flag))))):
        if node.kind() in {"string", "template_string"} and node.text()[1:-1] == flag:
            yield node, _way(node, conventions)
        elif node.kind() == "comment" and spelled(flag).search(node.text()):
            yield node, ReferenceKind.COMMENT
    wanted = "|".join(re.escape(name) for name in sorted({flag, *names}))
    for node in script.root.find_all(regex=f"^(?:{wanted})$"):
        if node.kind() in _IDENTIFIERS:
            yield node, _way(node, conventions)


def _way(node: SgNode, conventions: Conventions) -> ReferenceKind:
    """Tell how a name of the flag is used: to ask, to give it a name, or as any text."""
    parent = node.parent()
    is_text = node.kind() in {"string", "template_string"}
    if parent is None:
        return ReferenceKind.STRING
    if parent.kind() == "arguments":
        call = parent.parent()
        function = "" if call is None else last_name(call)
        if conventions.pattern(function) or asks(function, "flag") is not None:
            return ReferenceKind.CALL
    if is_text and parent.kind() in {"variable_declarator", "enum_assignment", "pair"}:
        return ReferenceKind.CONSTANT
    return ReferenceKind.STRING if is_text else ReferenceKind.IDENTIFIER


def _script(path: str, content: bytes) -> Script | None:
    try:
        return read_script(content, path)
    except Unreadable:
        return None
