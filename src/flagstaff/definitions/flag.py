"""What does one YAML file declare about a flag?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.flag_types import FLAG_TYPES, WORKER, is_flag_name
from flagstaff.definitions.nodes import SHAPES, MappingNode, read_nodes
from flagstaff.definitions.prerequisites import Prerequisite, read_prerequisites
from flagstaff.definitions.problems import Problems, bare, printable, quote
from flagstaff.definitions.variants import read_variants
from flagstaff.definitions.web_address import is_web_address
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.variant import Variant

KEYS: Final = (
    "name",
    "feature_issue_url",
    "introduced_by_url",
    "rollout_issue_url",
    "milestone",
    "log_state_changes",
    "type",
    "group",
    "default_enabled",
    "intended_to_rollout_by",
    "introduced_on",
    "bucketing",
    "variants",
    "prerequisites",
)
_RECOMMENDED: Final = ("introduced_by_url", "milestone", "group")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A flag as its file declares it; the keys are GitLab's, and four of our own.

    Attributes:
        default_enabled: What the flag answers where nobody has set it.
        milestone: The release it came with, as typed (`15.10` is not `15.1`).
        log_state_changes: Every change of the flag is worth a line in the application's log.
        intended_to_rollout_by: The day by which it should be on for everybody.
        introduced_on: The day from which its lifespan counts.
        bucketing: How a percentage of actors picks them.
        variants: Named answers while the flag is on; none for a plain flag.
        prerequisites: Flags that must answer as said first, in the order of their names.
        path: The file.
    """

    name: str
    type: str
    default_enabled: bool
    group: str | None = None
    milestone: str | None = None
    introduced_by_url: str | None = None
    feature_issue_url: str | None = None
    rollout_issue_url: str | None = None
    log_state_changes: bool = False
    intended_to_rollout_by: date | None = None
    introduced_on: date | None = None
    bucketing: Bucketing = Bucketing.CRC32
    variants: tuple[Variant, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = ()
    path: Path


def parse_definition(data: bytes, *, path: Path, folder: Path | None = None) -> Definition:
    """Return the flag that `data` declares; `path` says where it is, or is to be, kept.

    The file's name must be the flag's, and its folder the type's, unless it lies directly in
    `folder`, the root of all definitions.

    Raises:
        DefinitionError: With every problem of the file.
    """
    problems = Problems(printable(path))
    definition = check_definition(data, path=path, folder=folder, problems=problems)
    problems.raise_errors()
    if definition is None:
        raise AssertionError("a file without a definition has at least one problem")
    return definition


def check_definition(
    data: bytes, *, path: Path, folder: Path | None, problems: Problems
) -> Definition | None:
    """Return the flag that `data` declares, or None; note errors and warnings in `problems`."""
    node = read_nodes(data, problems)
    if not isinstance(node, MappingNode):
        if node is not None:
            problems.error(
                f"is {SHAPES[type(node)]}, not a mapping",
                line=node.line,
                remedy="write `key: value` lines, starting with `name:`",
            )
        elif not problems.errors:
            problems.error("is empty", remedy=f"write at least `name: {bare(path.stem)}`")
        return None
    fields = Fields(node, problems)
    fields.unknown(KEYS, problems.warn)
    type_name = _type(fields, path)
    name = _name(fields, path, type_name)
    default_enabled = _default_enabled(fields, type_name)
    _check_place(fields, (name, type_name), path, flat=path.parent == folder)
    _recommend(fields, type_name)
    definition = Definition(
        name=name,
        type=type_name,
        default_enabled=default_enabled,
        group=fields.text("group"),
        milestone=_milestone(fields),
        introduced_by_url=_web_address(fields, "introduced_by_url"),
        feature_issue_url=_web_address(fields, "feature_issue_url"),
        rollout_issue_url=_web_address(fields, "rollout_issue_url"),
        log_state_changes=fields.boolean("log_state_changes") or False,
        intended_to_rollout_by=_day(fields, "intended_to_rollout_by"),
        introduced_on=_day(fields, "introduced_on"),
        bucketing=Bucketing(fields.choice("bucketing", tuple(Bucketing)) or Bucketing.CRC32),
        variants=read_variants(fields),
        prerequisites=read_prerequisites(fields, name),
        path=path,
    )
    return None if problems.errors else definition


def _type(fields: Fields, path: Path) -> str:
    if not fields.has("type"):
        here = path.parent.name
        likely = f"add `type: {here}`" if here in FLAG_TYPES else ""
        fields.required("type", remedy=likely or "add `type:` with one of " + ", ".join(FLAG_TYPES))
        return ""
    name = fields.choice("type", tuple(FLAG_TYPES))
    if name and (advice := FLAG_TYPES[name].advice):
        fields.problems.warn(
            f"the type {quote(name)} is out of use", line=fields.line("type"), remedy=advice
        )
    return name or ""


def _name(fields: Fields, path: Path, type_name: str) -> str:
    name = fields.required("name", remedy=f"add `name: {bare(path.stem)}`")
    # Without a valid type nobody can tell whether the name of a class is allowed.
    if name and not is_flag_name(name, type_name=type_name or WORKER):
        fields.problems.error(
            f"the name {quote(name)} is not snake_case",
            line=fields.line("name"),
            remedy="write small letters and digits, with single underscores between",
        )
        return ""
    return name


def _default_enabled(fields: Fields, type_name: str) -> bool:
    if not fields.has("default_enabled"):
        fields.required("default_enabled", remedy="add `default_enabled: false`")
        return False
    enabled = fields.boolean("default_enabled") or False
    if enabled and type_name and not FLAG_TYPES[type_name].may_default_on:
        allowed = ", ".join(kind.name for kind in FLAG_TYPES.values() if kind.may_default_on)
        fields.problems.error(
            f"`default_enabled` is true, which the type {quote(type_name)} does not allow",
            line=fields.line("default_enabled"),
            remedy=f"write false, or use a type that may be on by default: {allowed}",
        )
    return enabled


def _check_place(fields: Fields, named: tuple[str, str], path: Path, *, flat: bool) -> None:
    name, type_name = named
    if name and path.stem != name:
        fields.problems.error(
            f"the name {quote(name)} is not that of the file, {quote(path.name)}",
            line=fields.line("name"),
            remedy=f"rename the file to {quote(name + path.suffix)}, or mend the name",
        )
    if type_name and not flat and path.parent.name != type_name:
        here = path.parent.name
        other = f", or write `type: {here}`" if here in FLAG_TYPES else ""
        fields.problems.error(
            f"the type {quote(type_name)} is not that of the folder, {quote(here)}",
            line=fields.line("type"),
            remedy=f"move the file to a folder {quote(type_name)}{other}",
        )


def _recommend(fields: Fields, type_name: str) -> None:
    wanted = list(_RECOMMENDED)
    if type_name and FLAG_TYPES[type_name].rollout_issue:
        wanted.append("rollout_issue_url")
    missing = [f"`{key}`" for key in wanted if not fields.has(key)]
    if missing:
        fields.problems.warn(
            "says nothing about " + ", ".join(missing),
            remedy="add it, so that others know where the flag comes from and whose it is",
        )


def _milestone(fields: Fields) -> str | None:
    node = fields.scalar("milestone")
    if node is not None and node.kind != "str":
        fields.problems.error(
            f"`milestone` is not a text but the bare {quote(node.text)}",
            line=node.line,
            remedy=f"write `milestone: '{bare(node.text)}'`, since 15.10 is not 15.1",
        )
        return None
    return fields.text("milestone")


def _web_address(fields: Fields, key: str) -> str | None:
    address = fields.text(key)
    if address is None or is_web_address(address):
        return address
    fields.problems.warn(
        f"`{key}` is {quote(address)}, no web address, and is left out",
        line=fields.line(key),
        remedy="write an address that starts with https://",
    )
    return None


def _day(fields: Fields, key: str) -> date | None:
    text = fields.text(key)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    fields.problems.warn(
        f"`{key}` is {quote(text)}, no date, and is left out",
        line=fields.line(key),
        remedy="write a day such as 2026-03-31",
    )
    return None
