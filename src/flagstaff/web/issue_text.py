"""How does a rollout issue look when it is rendered?"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

_COMMENT_OR_CODE = re.compile(
    r"(?P<comment><!--.*?-->[ \t]*)|^(?P<fence>```+|~~~+).*?^(?P=fence)[ \t]*$|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)
_BOX = re.compile(r"^\[([ xX~-])\](?:\s+|$)")
_LIST_OF_BOXES = re.compile(r"^\s*[-*+] \[[ xX~-]\]", re.MULTILINE)
_BOXES = {
    " ": ("open", "to do"),
    "x": ("done", "done"),
    "X": ("done", "done"),
    "~": ("skipped", "skipped"),
    "-": ("skipped", "skipped"),
}


def render_issue(text: str) -> Markup:
    """Return the issue as HTML: boxes as signs, comments hidden, HTML in it shown as text."""
    parser = _markdown if _LIST_OF_BOXES.search(text) else _plain
    return Markup(parser.render(without_comments(text)))  # noqa: S704 html is off in the parser


def without_comments(text: str) -> str:
    """Return the text as it is meant to be read: comments outside code are notes to programs."""
    return _COMMENT_OR_CODE.sub(lambda found: "" if found["comment"] else found[0], text)


def _boxes(state: StateCore) -> None:
    for position, token in enumerate(state.tokens):
        if token.type != "inline" or not token.children:
            continue
        item = _item_of(state.tokens, position)
        first = token.children[0]
        found = _BOX.match(first.content) if item and first.type == "text" else None
        if item is None or found is None:
            continue
        name, word = _BOXES[found[1]]
        first.content = first.content[found.end() :]
        item.attrJoin("class", f"task task-{name}")
        box = Token("html_inline", "", 0)
        box.content = (
            f'<span class="box box-{name}" role="img" aria-label="{word}" title="{word}"></span>'
        )
        token.children.insert(0, box)


def _item_of(tokens: list[Token], position: int) -> Token | None:
    """Return the list item whose first line this is."""
    before = tokens[position - 2 : position]
    kinds = [token.type for token in before]
    return before[0] if kinds == ["list_item_open", "paragraph_open"] else None


def _parser(*, breaks: bool) -> MarkdownIt:
    options = {"html": False, "breaks": breaks}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.core.ruler.push("boxes", _boxes)
    return parser


_markdown = _parser(breaks=False)
_plain = _parser(breaks=True)
"""For an issue copied from its page, whose line ends are all that is left of its layout."""
