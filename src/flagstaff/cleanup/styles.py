"""How wide may the lines of a file be, and how are its imports laid out?

Formatters say so in the nearest folder that tells anything of them.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flagstaff.cleanup.tree import Tree

BLACK_WIDTH = 88
_ISORT_WIDTH = 79
_MODES = (
    "GRID",
    "VERTICAL",
    "HANGING_INDENT",
    "VERTICAL_HANGING_INDENT",
    "VERTICAL_GRID",
    "VERTICAL_GRID_GROUPED",
)
_HANGING = 3
_BLACK_HOOK = re.compile(r"id:\s*black\b(?P<rest>(?:(?!-\s*(?:id|repo):).)*)", re.DOTALL)
_RUFF_HOOK = re.compile(r"id:\s*ruff-format\b")
_LENGTH = re.compile(r"(?:--line-length|-l\b)[=\s\"',]*(\d+)")


@dataclass(frozen=True, slots=True)
class ImportStyle:
    """What isort is told: `mode` is its `multi_line_output`, `width` counts characters."""

    width: int = _ISORT_WIDTH
    mode: int = 0
    trailing_comma: bool = False
    keeps_open: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """The width in characters that Black, or Ruff, is told, and how isort lays out imports.

    `None` is what nobody says.
    """

    width: int | None = None
    imports: ImportStyle | None = None


@dataclass(slots=True)
class Styles:
    """Tells the style of each file of a tree."""

    tree: Tree
    _known: dict[str, Style] = field(default_factory=dict)

    def of(self, path: str) -> Style:
        """Return the style of a Python file."""
        folder = path.rpartition("/")[0]
        if folder not in self._known:
            self._known[folder] = self._style(folder)
        return self._known[folder]

    def _style(self, folder: str) -> Style:
        width: int | None = None
        imports: ImportStyle | None = None
        for each in _upwards(folder):
            projects = self._tables(each)
            width = width or _width(projects, self._text(f"{each}.pre-commit-config.yaml"))
            imports = imports or self._imports(each, projects)
        return Style(width, imports)

    def _tables(self, folder: str) -> dict[str, Any]:
        """Return what the formatters' own tables of a folder say."""
        project = _toml(self._text(f"{folder}pyproject.toml")).get("tool")
        tables = dict(project) if isinstance(project, dict) else {}
        for name in ("ruff.toml", ".ruff.toml"):
            if told := _toml(self._text(folder + name)):
                tables["ruff"] = told
        return {name: table for name, table in tables.items() if isinstance(table, dict)}

    def _imports(self, folder: str, tables: Mapping[str, Any]) -> ImportStyle | None:
        told: Mapping[str, Any] | None = None
        for name, section in ((".isort.cfg", "settings"), ("setup.cfg", "isort")):
            told = told or _section(self._text(folder + name), section)
        told = told or tables.get("isort") or _section(self._text(f"{folder}tox.ini"), "isort")
        return None if told is None else _import_style(told)

    def _text(self, path: str) -> str:
        return (self.tree.read(path) or b"").decode("utf-8", "replace")


def _upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those around it, each with a slash behind it."""
    while folder:
        yield f"{folder}/"
        folder = folder.rpartition("/")[0]
    yield ""


def _width(tables: Mapping[str, Any], hooks: str) -> int | None:
    black, ruff = tables.get("black"), tables.get("ruff")
    for told, key in ((black, "line-length"), (ruff, "line-length"), (black, "line_length")):
        if told is not None and (width := _number(told.get(key))):
            return width
    hook = _BLACK_HOOK.search(hooks)
    if hook is not None and (length := _LENGTH.search(hook["rest"])):
        return int(length[1])
    told = hook is not None or black is not None or _RUFF_HOOK.search(hooks) is not None
    return BLACK_WIDTH if told or "format" in (ruff or {}) else None


def _import_style(told: Mapping[str, Any]) -> ImportStyle:
    told = {key.replace("-", "_"): value for key, value in told.items()}
    black = str(told.get("profile", "")) == "black"
    mode = told.get("multi_line_output", _HANGING if black else 0)
    comma = told.get("include_trailing_comma", black)
    width = told.get("line_length", BLACK_WIDTH if black else _ISORT_WIDTH)
    opened = told.get("split_on_trailing_comma", False)
    wrapped = told.get("force_grid_wrap", 0)
    return ImportStyle(
        width=_number(width) or _ISORT_WIDTH,
        mode=_MODES.index(str(mode)) if str(mode) in _MODES else _number(mode) or 0,
        trailing_comma=_truth(comma),
        keeps_open=_truth(opened) or bool(_number(wrapped)),
    )


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.isdigit() else None


def _truth(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes", "on"}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}  # somebody else's file, and somebody else's mistake


def _section(text: str, name: str) -> Mapping[str, Any] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return dict(parser[name]) if parser.has_section(name) else None
