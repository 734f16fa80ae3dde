"""How does a flag leave the YAML files, with everything around it as it was?"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


def without_entries(content: bytes, flag: str, lists: Sequence[str]) -> bytes | None:
    """Return a settings file without the items for `flag` in its top-level `lists`.

    A list that becomes empty goes with its key. Lines that stay keep their bytes, unless a list is
    written in brackets: then the YAML is printed again. `None` means that the file is no YAML.
    """
    try:
        text = content.decode()
        root = YAML(typ="rt").compose(text)
        if not isinstance(root, MappingNode):
            return content
        cut = [span for key, value in root.value for span in _spans(key, value, flag, lists)]
        if not cut:
            return content
        wanted = _expected(text, flag, lists)
        lines = text.splitlines(keepends=True)
        for first, last in sorted(cut, reverse=True):
            start = _comment_start(lines, first)
            end = last
            # A block of text claims the blank lines below it.
            while end > first + 1 and not lines[end - 1].strip():
                end -= 1
            del lines[start:end]
        shorter = "".join(lines)
        same = YAML(typ="safe").load(shorter) or {}
        return (shorter if same == wanted else _printed(text, flag, lists)).encode()
    except (YAMLError, UnicodeDecodeError):
        return None


def _spans(key: ScalarNode, value: Node, flag: str, lists: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first line, and the line after the last, of everything to cut."""
    if key.value not in lists or not isinstance(value, SequenceNode):
        return []
    doomed = [item for item in value.value if _flag_of(item) == flag]
    if doomed and len(doomed) == len(value.value):
        return [(key.start_mark.line, max(_end(item) for item in doomed))]
    return [(item.start_mark.line, _end(item)) for item in doomed]


def _flag_of(item: Node) -> str | None:
    if isinstance(item, MappingNode):
        for key, value in item.value:
            if key.value == "flag" and isinstance(value, ScalarNode):
                return str(value.value)
    return None


def _end(node: Node) -> int:
    """Return the line after a node; the mark of a block stands behind the blanks below it."""
    match node:
        case MappingNode() if node.value and not node.flow_style:
            return max(_end(part) for pair in node.value for part in pair)
        case SequenceNode() if node.value and not node.flow_style:
            return max(_end(part) for part in node.value)
        case ScalarNode() if node.style in {"|", ">"}:
            return int(node.end_mark.line)
    return int(node.end_mark.line) + 1


def _comment_start(lines: list[str], first: int) -> int:
    """Return where the comments begin that stand right above a line, as deep as it."""
    depth = _depth(lines[first])
    start = first
    while start and lines[start - 1].lstrip().startswith("#") and _depth(lines[start - 1]) == depth:
        start -= 1
    # What the file begins with is about the file.
    return start or first


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _kept(data: Any, flag: str, lists: Sequence[str]) -> Any:
    for key in lists:
        items = data.get(key)
        if not isinstance(items, list):
            continue
        doomed = [
            i for i, item in enumerate(items) if isinstance(item, dict) and item.get("flag") == flag
        ]
        for index in reversed(doomed):
            del items[index]
        if doomed and not items:
            del data[key]
    return data


def _expected(text: str, flag: str, lists: Sequence[str]) -> Any:
    return _kept(YAML(typ="safe").load(text), flag, lists)


def _printed(text: str, flag: str, lists: Sequence[str]) -> str:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10_000
    out = StringIO()
    yaml.dump(_kept(yaml.load(text), flag, lists), out)
    return out.getvalue()
