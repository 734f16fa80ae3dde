"""Which JSON is written as a variant's payload?"""

from __future__ import annotations

import math
import re
from typing import Final

from flagstaff.definitions.nodes import ListNode, MappingNode, Node, ScalarNode
from flagstaff.definitions.problems import Problems, bare, quote
from flagstaff.flags.variant import Payload

MOST_DIGITS: Final = 15
"""Of a whole number: with more, clients in other languages would round it."""

_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}


def read_payload(node: Node | None, problems: Problems) -> Payload:
    """Return the text, number or mapping that `node` is; what else it may be is noted."""
    if isinstance(node, ListNode):
        problems.error(
            "`payload` is a list",
            line=node.line,
            remedy="put it under a key, such as `payload: {items: […]}`",
        )
        return None
    payload = None if node is None else _json(node, problems)
    if isinstance(payload, bool):
        problems.error(
            f"`payload` is {str(payload).lower()}, which is no text, number or mapping",
            line=node.line if node else 0,
            remedy="put it under a key, such as `payload: {enabled: true}`, or into quotes",
        )
        return None
    return payload


def _json(node: Node, problems: Problems) -> Payload:
    match node:
        case MappingNode(items=items):
            return {
                _plain(key, node, problems): _json(each, problems) for key, each in items.items()
            }
        case ListNode(items=listed):
            return [_json(each, problems) for each in listed]
        case ScalarNode():
            return _scalar(node, problems)


def _scalar(node: ScalarNode, problems: Problems) -> Payload:
    text = node.text
    if node.quoted:
        return _plain(text, node, problems)
    if text in _WORDS:
        return _WORDS[text]
    if node.kind == "int" and _WHOLE.fullmatch(text) and len(text.lstrip("-")) <= MOST_DIGITS:
        return int(text)
    if node.kind == "float" and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    # Some readers of YAML take `1e5` for a number and others for a text.
    if node.kind in {"str", "timestamp"} and not _NUMBER.fullmatch(text):
        return _plain(text, node, problems)
    problems.error(
        f"the payload {quote(text)} is neither plainly a text nor plainly a number",
        line=node.line,
        remedy=f"write '{bare(text)}' in quotes for a text, or a number such as 12 or 0.5",
    )
    return None


def _plain(text: str, node: Node, problems: Problems) -> str:
    """Return the text if it can be sent as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        problems.error(
            f"the payload {quote(text)} holds half a character",
            line=node.line,
            remedy="write the character itself instead of its escapes",
        )
        return ""
    return text
