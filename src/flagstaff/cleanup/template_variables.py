"""Which variables of a template only hold the flag's answer?"""

from __future__ import annotations

import re

from flagstaff.cleanup.elsewhere import is_code
from flagstaff.cleanup.patterns import word
from flagstaff.cleanup.template_conditions import Asking, condition
from flagstaff.cleanup.templates import Tag, tags_of
from flagstaff.cleanup.tree import Tree

_ASSIGNED = re.compile(r"(\w+)\s*=\s*(.*)", re.DOTALL)
_TESTING = frozenset({"if", "elif"})
_LINE = r"(?:^[ \t]*\{{#(?:(?!#\}}).)*#\}}[ \t]*\r?\n)*^[ \t]*{}[ \t]*(?:\r?\n|\Z)"


def without_variables(
    tree: Tree, path: str, text: str, flag: str, *, keep: bool
) -> tuple[str, dict[str, bool]]:
    """Return a template without `{% set x = … %}` of an answer, and which names held it.

    Only the truth of such a name may be asked for, and only in this template: what it is set to may
    be another value that is as true. The answer of a name is told as one of the flag itself.
    """
    found: dict[str, bool] = {}
    while (variable := _variable(tree, path, text, flag, keep=keep)) is not None:
        tag, name, worth = variable
        if isinstance(worth, str):
            tag_text = text[tag.start : tag.end]
            shorter = tag_text.replace(tag.rest, f"{name} = {worth}", 1)
            text = text[: tag.start] + shorter + text[tag.end :]
        else:
            found[name] = worth is keep
            text = _without(text, tag)
    return text, found


def _without(text: str, tag: Tag) -> str:
    """Return a template without a tag, its line, and the comment right above it."""
    line = _LINE.format(re.escape(text[tag.start : tag.end]))
    for pattern in (rf"(?<=\n\n){line}(?:[ \t]*\r?\n)?", line):
        after = re.sub(pattern, "", text, count=1, flags=re.MULTILINE | re.DOTALL)
        if after != text:
            return after
    return text[: tag.start] + text[tag.end :]


def _variable(
    tree: Tree, path: str, text: str, flag: str, *, keep: bool
) -> tuple[Tag, str, bool | str] | None:
    """Return the first tag that can be decided, its name, and what the name is worth now."""
    tags = list(tags_of(text))
    for tag in tags:
        assigned = _ASSIGNED.fullmatch(tag.rest) if tag.word == "set" else None
        if assigned is None:
            continue
        name, worth = assigned[1], condition(assigned[2], Asking(flag), keep=keep)
        if (
            worth != assigned[2]
            and _is_outside(tag, tags)
            and _is_tested_only(name, text, tag, tags)
            and not _is_elsewhere(tree, path, name)
        ):
            return tag, name, worth
    return None


def _is_outside(tag: Tag, tags: list[Tag]) -> bool:
    """Tell whether a tag stands in no block, and so is always reached."""
    words = {each.word for each in tags}
    depth = 0
    for each in tags[: tags.index(tag)]:
        opens = f"end{each.word}" in words and not _ASSIGNED.fullmatch(each.rest)
        depth += opens - each.word.startswith("end")
    return depth == 0


def _is_tested_only(name: str, text: str, assigning: Tag, tags: list[Tag]) -> bool:
    """Tell whether a name is only asked for in conditions after it was set, and never set again."""
    tests = [tag for tag in tags if tag.word in _TESTING and tag.start > assigning.end]
    return all(
        assigning.start <= found.start() < assigning.end
        or any(tag.start <= found.start() < tag.end for tag in tests)
        for found in word(name).finditer(text)
    )


def _is_elsewhere(tree: Tree, path: str, name: str) -> bool:
    """Tell whether another file may read the name, as one that is included does."""
    return any(
        is_code(other) and word(name).search((tree.read(other) or b"").decode("utf-8", "replace"))
        for other in tree.containing((name,))
        if other != path
    )
