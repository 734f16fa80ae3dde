"""Where are templates of plans, and which one is meant for a flag?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from flagstaff.definitions.flag import Definition
from flagstaff.definitions.nodes import ListNode, MappingNode, Node, ScalarNode
from flagstaff.definitions.problems import Problems, printable, quote, suggestion
from flagstaff.definitions.project import Project
from flagstaff.definitions.source import read_file

SUFFIXES: Final = (".yml", ".yaml")
FOLDER: Final = "templates"
DERISK, RENAME, QUICK = "gitlab_com_derisk", "rename_workers", "quick"
BY_TYPE: Final[Mapping[str, str]] = {"ops": QUICK, "worker": QUICK, "licensed": QUICK}
_PLACEHOLDER: Final = re.compile(r"<([A-Za-z][\w-]*)>")
_BUILT_IN: Final = files("flagstaff.definitions.plans") / FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The text of a template, and how messages call it."""

    name: str
    shown: str
    data: bytes


def template_names(root: Path, project: Project) -> tuple[str, ...]:
    """Return the names of all templates, the project's own first."""
    own = [
        path.stem
        for path in sorted(_folder(root, project).glob("*"))
        if path.suffix in SUFFIXES and path.is_file()
    ]
    built_in = sorted(
        each.name.removesuffix(".yml") for each in _BUILT_IN.iterdir() if each.name.endswith(".yml")
    )
    return tuple(dict.fromkeys((*own, *built_in)))


def find_template(name: str, root: Path, project: Project, problems: Problems) -> Template | None:
    """Return the template with a name, the project's own before one of ours."""
    for suffix in SUFFIXES:
        path = _folder(root, project) / f"{name}{suffix}"
        if re.fullmatch(r"[\w.-]+", name) and path.is_file():
            shown = Problems(printable(path.relative_to(root)))
            data = read_file(path, shown)
            if data is None:
                for each in shown.errors:
                    problems.error(f"{each.file} {each.what}", remedy=each.remedy)
                return None
            return Template(name=name, shown=shown.file, data=data)
    names = template_names(root, project)
    if name in names:
        return Template(
            name=name,
            shown=f"the built-in template {name}",
            data=(_BUILT_IN / f"{name}.yml").read_bytes(),
        )
    problems.error(
        f"there is no template {quote(name)}",
        remedy=suggestion(name, names),
    )
    return None


def default_template(definition: Definition | None, project: Project) -> str:
    """Return the template for a flag: its team's, its type's, or one of ours."""
    if definition is None:
        return QUICK
    plans = project.plans
    if (named := plans.by_group.get(definition.group or "")) or (
        named := plans.by_type.get(definition.type)
    ):
        return named
    if any(rename.flag == definition.name for rename in project.renames):
        return RENAME
    return BY_TYPE.get(definition.type, DERISK)


def placeholders_in(node: Node | None) -> set[str]:
    """Return the names of what stands in angle brackets."""
    match node:
        case ScalarNode(text=text):
            return set(_PLACEHOLDER.findall(text))
        case ListNode(items=items):
            return {name for item in items for name in placeholders_in(item)}
        case MappingNode(items=mapping):
            return {
                name
                for key, item in mapping.items()
                if key not in {"anchor", "parameters"}
                for name in placeholders_in(item)
            }
    return set()


def filled(mapping: MappingNode, values: Mapping[str, Node]) -> MappingNode:
    """Return the mapping with every placeholder replaced by its value, at the same line."""
    items = {
        key: item if key in {"anchor", "parameters"} else _filled(item, values)
        for key, item in mapping.items.items()
    }
    return MappingNode(items=items, lines=mapping.lines, line=mapping.line)


def _filled(node: Node, values: Mapping[str, Node]) -> Node:
    match node:
        case MappingNode():
            return filled(node, values)
        case ListNode(items=items):
            return ListNode(items=tuple(_filled(each, values) for each in items), line=node.line)
        case ScalarNode(text=text, line=line):
            whole = _PLACEHOLDER.fullmatch(text)
            if whole and whole[1] in values:
                return _at(values[whole[1]], line)
            text = _PLACEHOLDER.sub(lambda found: _text(values, found), text)
            return ScalarNode(text=text, quoted=node.quoted, line=line)


def _text(values: Mapping[str, Node], found: re.Match[str]) -> str:
    match values.get(found[1]):
        case ScalarNode(text=text):
            return text
        case ListNode(items=items):
            return ", ".join(each.text for each in items if isinstance(each, ScalarNode))
        case _:
            return found[0]


def _at(node: Node, line: int) -> Node:
    match node:
        case ScalarNode():
            return ScalarNode(text=node.text, quoted=node.quoted, line=line)
        case ListNode():
            return ListNode(items=tuple(_at(each, line) for each in node.items), line=line)
        case MappingNode():
            items = {key: _at(each, line) for key, each in node.items.items()}
            return MappingNode(items=items, lines=dict.fromkeys(items, line), line=line)


def _folder(root: Path, project: Project) -> Path:
    return root / project.plans.folder / FOLDER
