"""Which files does a plan consist of, and what do their parameters stand for?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, TypeGuard

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import (
    SHAPES,
    ListNode,
    MappingNode,
    Node,
    ScalarNode,
    read_nodes,
)
from flagstaff.definitions.plans.setting import Surroundings
from flagstaff.definitions.plans.templates import find_template, placeholders_in
from flagstaff.definitions.plans.values import raw
from flagstaff.definitions.problems import Problems, nearest, quote, suggestion
from flagstaff.errors import DefinitionError

KEYS: Final = (
    "flag",
    "title",
    "extends",
    "parameters",
    "owner",
    "announce_to",
    "production",
    "guards",
    "statistics",
    "rollback_to",
    "expiry",
    "notes",
    "steps",
    "without",
    "before",
    "after",
)
FLAG: Final = "flag"
UNSAID: Final = "nothing says what"
"""How the complaint begins about a parameter without a value."""
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file of the chain from a plan to the template at its end."""

    node: MappingNode
    problems: Problems

    @property
    def fields(self) -> Fields:
        """Return the file key by key."""
        return Fields(self.node, self.problems)


def flag_in(text: str) -> str:
    """Return the flag that a plan names, empty when it names none or cannot be read."""
    node = read_nodes(text.encode(), Problems("plan"))
    return (raw(Fields(node, Problems("plan")), "flag") or "") if _is_mapping(node) else ""


def parameters_of(template: str, around: Surroundings) -> dict[str, str | None]:
    """Return the parameters of a template with their values; `None` where one has to be given.

    Raises:
        DefinitionError: there is no such template, or it cannot be read.
    """
    text = f"extends: {json.dumps(template)}\n"
    chain, whole = chain_of(text.encode(), around, Problems(f"template {template}"))
    if not whole:
        raise_errors(chain)
    declared = _declared(chain)
    return {name: None if node is None else _shown(node) for name, node in declared.items()}


def _shown(node: Node) -> str:
    match node:
        case ScalarNode(text=text):
            return json.dumps(text, ensure_ascii=False) if node.quoted else text
        case ListNode(items=items):
            return f"[{', '.join(_shown(each) for each in items)}]"
        case MappingNode(items=mapping):
            return f"{{{', '.join(f'{key}: {_shown(each)}' for key, each in mapping.items())}}}"


def _is_mapping(node: Node | None) -> TypeGuard[MappingNode]:
    return isinstance(node, MappingNode)


def problem_count(chain: list[Document]) -> int:
    """Return how many errors there are by now."""
    return sum(len(each.problems.errors) for each in chain)


def raise_errors(chain: list[Document]) -> None:
    """Raise `DefinitionError` with all errors of all files, if there are any."""
    errors = tuple(error for each in chain for error in each.problems.errors)
    if errors:
        raise DefinitionError(errors)


def chain_of(data: bytes, around: Surroundings, problems: Problems) -> tuple[list[Document], bool]:
    """Return the plan and what it extends, and whether all of it is there."""
    found: list[Document] = []
    names: list[str] = []
    while True:
        found.append(Document(node=_mapping(data, problems), problems=problems))
        fields = found[-1].fields
        fields.unknown(KEYS, problems.error)
        name = fields.text("extends")
        if not name:
            return found, bool(found[-1].node.items)
        line = fields.line("extends")
        if name in names or len(names) >= _DEEPEST:
            problems.error(
                f"extends {quote(name)}, which extends it in turn: {' → '.join((*names, name))}",
                line=line,
                remedy="let one of them stand on its own",
            )
            return found, False
        names.append(name)
        here = Problems(problems.file)
        template = find_template(name, around.root, around.project, here)
        if template is None:
            for each in here.errors:
                problems.error(each.what, line=line, remedy=each.remedy)
            return found, False
        data, problems = template.data, Problems(template.shown)


def _mapping(data: bytes, problems: Problems) -> MappingNode:
    node = read_nodes(data, problems)
    if isinstance(node, MappingNode):
        return node
    if node is not None:
        problems.error(
            f"is {SHAPES[type(node)]}, not a mapping",
            line=node.line,
            remedy="write `flag: …` and `steps:` with `- ` lines below",
        )
    elif not problems.errors:
        problems.error("is empty", remedy="begin with: flagstaff plan new FLAG")
    return MappingNode(items={}, lines={}, line=0)


def values_of(chain: list[Document], around: Surroundings) -> dict[str, Node]:
    """Return what each parameter stands for, the nearest word first."""
    declared = _declared(chain)
    used = {name for each in chain for name in placeholders_in(each.node)}
    said = {**around.offers, **around.project.placeholders, **around.answers}
    for name, text in said.items():
        if name in declared and (name in around.answers or declared[name] is None):
            declared[name] = _answer(text)
    flag = around.flag or next((raw(each.fields, "flag") for each in chain if _has(each)), "") or ""
    if declared or len(chain) > 1:
        declared.setdefault(FLAG, ScalarNode(text=flag, quoted=False, line=0))
        for each in chain:
            _check_used(each, declared, used)
        for name in around.answers:
            if name not in declared:
                chain[0].problems.error(
                    f"has no parameter {quote(name)}", remedy=suggestion(name, sorted(declared))
                )
    return {name: value for name, value in declared.items() if value is not None}


def _declared(chain: list[Document]) -> dict[str, Node | None]:
    found: dict[str, Node | None] = {}
    for each in reversed(chain):
        parameters = each.fields.mapping("parameters")
        for name in parameters or ():
            value = parameters.node(name) if parameters else None
            if value is not None or name not in found:
                found[name] = value
    return found


def _has(document: Document) -> bool:
    return document.fields.has("flag")


def _answer(text: str) -> Node:
    """Return an answer as the node it would be in a file: `1, 10, 50` is a list."""
    parts = [part.strip() for part in text.strip("[] ").split(",")]
    nodes = tuple(ScalarNode(text=part, quoted=False, line=0) for part in parts)
    return ListNode(items=nodes, line=0) if len(nodes) > 1 else nodes[0]


def _check_used(document: Document, declared: dict[str, Node | None], used: set[str]) -> None:
    fields, problems = document.fields, document.problems
    for name in sorted(placeholders_in(document.node)):
        if name not in declared:
            problems.error(
                f"uses `<{name}>`, which is no parameter",
                line=_line_of(document.node, f"<{name}>"),
                remedy=f"did you mean `<{near}>`?"
                if (near := nearest(name, declared))
                else f"declare it: `parameters: {{{name}: …}}`",
            )
        elif declared[name] is None:
            problems.error(
                f"{UNSAID} `<{name}>` is",
                line=_line_of(document.node, f"<{name}>"),
                remedy=f"give `--set {name}=VALUE`, or write it under `parameters:` of the plan",
            )
    parameters = fields.mapping("parameters")
    for name in parameters or ():
        if name not in used and parameters is not None:
            problems.error(
                f"gives {quote(name)}, which nothing uses",
                line=parameters.line(name),
                remedy=suggestion(name, sorted(used)) if used else "delete it",
            )


def _line_of(node: Node, text: str) -> int:
    match node:
        case ScalarNode(text=found, line=line):
            return line if text in found else 0
        case ListNode(items=items):
            return next((line for each in items if (line := _line_of(each, text))), 0)
        case MappingNode(items=items):
            members = (each for key, each in items.items() if key != "anchor")
            return next((line for each in members if (line := _line_of(each, text))), 0)
