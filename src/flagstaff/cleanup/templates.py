"""What is left of a Django or Jinja template once the flag's answer is fixed?

A template is cut into text and tags; the branches of the tags that ask for the flag are resolved,
everything else stays as it is, byte by byte. What does not pair up is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flagstaff.cleanup.template_comments import without_comments
from flagstaff.cleanup.template_conditions import Asking, condition, ternary

_TAG = re.compile(
    r"\{%[-+]?\s*(?P<word>\w+)(?P<rest>(?:'[^'\n]*'|\"[^\"\n]*\"|[^%'\"]|%(?!\}))*)[-+]?%\}"
)
_SKIPPED = re.compile(
    r"\{%-?\s*(?P<block>comment|verbatim|raw)\b.*?\{%-?\s*end(?P=block)\b[^%]*%\}|\{#.*?#\}",
    re.DOTALL,
)
_ASKING_BLOCKS = ("flag", "switch", "sample")
_ASSIGNING = re.compile(r"set [\w.,\s]+=")
_MIDDLES = {"else", "elif", "elsif"}


class Unpaired(Exception):
    """The tags of a template do not pair up."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One `{% … %}`, from `start` to `end`."""

    word: str
    rest: str
    start: int
    end: int


@dataclass(slots=True)
class Branch:
    """What follows a tag up to the next one of the same block."""

    tag: Tag
    inner: list[Block] = field(default_factory=list)
    end: int = 0


@dataclass(slots=True)
class Block:
    """An `if` or a flag's own block with its branches, and the tag that ends it."""

    branches: list[Branch]
    closing: Tag | None = None


def clean_template(text: str, asking: Asking, *, keep: bool) -> str:
    """Return a template as if the flag always gave the answer that stays.

    Raises:
        Unpaired: its blocks do not pair up.
    """
    return _Cleaner(text, asking, keep=keep).cleaned()


def tags_of(text: str) -> Iterator[Tag]:
    """Yield the tags of a template that are not in a comment, and not shown as they stand."""
    skipped = [found.span() for found in _SKIPPED.finditer(text)]
    for found in _TAG.finditer(text):
        if not any(start <= found.start() < end for start, end in skipped):
            yield Tag(found["word"], found["rest"].strip(), *found.span())


@dataclass(slots=True)
class _Foreign:
    """A block of another kind, such as a loop; `is_parted` once an `else` stood in it."""

    word: str
    is_parted: bool = False


def blocks(text: str) -> list[Block]:
    """Return the outermost blocks of a template that may ask for a flag.

    Raises:
        Unpaired: one is not closed, or closed twice, or an `else` may belong to more than one.
    """
    tags = list(tags_of(text))
    words = {tag.word for tag in tags}
    own = {"if", *_ASKING_BLOCKS} - ({"switch"} if "case" in words else set())
    top: list[Block] = []
    stack: list[Block | _Foreign] = []
    for tag in tags:
        if tag.word in own:
            block = Block([Branch(tag)])
            around = [each for each in stack if isinstance(each, Block)]
            (around[-1].branches[-1].inner if around else top).append(block)
            stack.append(block)
        elif f"end{tag.word}" in words and not _ASSIGNING.match(f"{tag.word} {tag.rest}"):
            stack.append(_Foreign(tag.word))
        elif tag.word in _MIDDLES and stack:
            _part(stack[-1], tag)
        elif tag.word.startswith("end"):
            closed = _closed(stack, tag)
            if isinstance(closed, Block):
                closed.branches[-1].end = tag.start
                closed.closing = tag
    if any(isinstance(each, Block) or each.is_parted for each in stack):
        raise Unpaired
    return top


def _part(block: Block | _Foreign, tag: Tag) -> None:
    if isinstance(block, _Foreign):
        block.is_parted = True
        return
    block.branches[-1].end = tag.start
    block.branches.append(Branch(tag))


def _closed(stack: list[Block | _Foreign], tag: Tag) -> Block | _Foreign:
    """Take the block from the stack which a tag ends.

    Some tags, such as `set`, begin a block or stand alone; those that did are stepped over.
    """
    while stack:
        last = stack.pop()
        word = last.branches[0].tag.word if isinstance(last, Block) else last.word
        if word == tag.word[3:]:
            return last
        if isinstance(last, Block) or last.is_parted:
            break
    raise Unpaired(tag.word)


class _Cleaner:
    def __init__(self, text: str, asking: Asking, *, keep: bool) -> None:
        self._text = text
        self._asking = asking
        self._keep = keep

    def cleaned(self) -> str:
        return self._span(0, len(self._text), blocks(self._text))

    def _span(self, start: int, end: int, inner: Sequence[Block]) -> str:
        out: list[str] = []
        for block in inner:
            assert block.closing is not None  # noqa: S101  an open block raises before
            before = self._text[start : block.branches[0].tag.start]
            resolved, whole = self._block(block)
            start = block.closing.end
            if whole:
                out.append(self._plain(before))
                out.append(resolved)
                continue
            before, resolved, start = self._closed_up(before, resolved, start)
            out += [self._plain(before), resolved]
        return "".join([*out, self._plain(self._text[start:end])])

    def _closed_up(self, before: str, resolved: str, after: int) -> tuple[str, str, int]:
        """Take away the lines on which the tags of a resolved block stood alone."""
        head, _, lead = before.rpartition("\n")
        alone = not lead.strip()
        line = re.compile(r"[ \t]*\r?\n").match(self._text, after)
        if not alone or (line is None and after < len(self._text)):
            return before, resolved, after
        first = re.match(r"[ \t]*\r?\n", resolved)
        last_lead = resolved.rpartition("\n")[2]
        if resolved and (first is None or last_lead.strip()):
            return before, resolved, after
        kept = head + "\n" if "\n" in before else ""
        body = resolved[first.end() :] if first else ""
        body = body[: len(body) - len(last_lead)] if last_lead and not last_lead.strip() else body
        end = line.end() if line else after
        if not body:
            rest = self._text[end:]
            kept, below = without_comments(kept, rest, self._asking.flag)
            end += len(rest) - len(below)
        if not body and re.search(r"\n[ \t]*\r?\n$", kept):
            # What stood between two blank lines leaves one of them.
            blank = re.compile(r"[ \t]*\r?\n").match(self._text, end)
            end = blank.end() if blank else end
        return kept, _dedented(body, lead), end

    def _block(self, block: Block) -> tuple[str, bool]:
        """Return what a block becomes, and whether it is still a block."""
        kept: list[tuple[Branch, str | None]] = []
        for branch in block.branches:
            worth = self._test(branch)
            if worth is False:
                continue
            kept.append((branch, None if worth is True else worth))
            if worth is True:
                break
        if not kept:
            return "", False
        first, test = kept[0]
        if test is None and (first.tag.word != "else" or len(kept) < len(block.branches)):
            return self._body(first), False
        if len(kept) == len(block.branches) and all(
            branch.tag.word == "else" if rest is None else rest == branch.tag.rest
            for branch, rest in kept
        ):
            return self._whole(block), True
        return self._again(block, kept), True

    def _whole(self, block: Block) -> str:
        assert block.closing is not None  # noqa: S101
        out = []
        for branch in block.branches:
            out += [self._text[branch.tag.start : branch.tag.end], self._body(branch)]
        return "".join([*out, self._text[block.closing.start : block.closing.end]])

    def _again(self, block: Block, kept: list[tuple[Branch, str | None]]) -> str:
        assert block.closing is not None  # noqa: S101
        out = []
        for place, (branch, test) in enumerate(kept):
            tag = self._text[branch.tag.start : branch.tag.end]
            if test is None and place and branch.tag.word != "else":
                tag = re.sub(
                    r"(\{%[-+]?\s*)\w+.*?(\s*[-+]?%\})$", r"\1else\2", tag, flags=re.DOTALL
                )
            elif test is not None:
                word = branch.tag.word if place else "if"
                tag = tag.replace(branch.tag.rest, test, 1) if branch.tag.rest != test else tag
                tag = re.sub(r"^(\{%[-+]?\s*)\w+", rf"\g<1>{word}", tag)
            out += [tag, self._body(branch)]
        return "".join([*out, self._text[block.closing.start : block.closing.end]])

    def _body(self, branch: Branch) -> str:
        return self._span(branch.tag.end, branch.end, branch.inner)

    def _test(self, branch: Branch) -> bool | str:
        """Return what a branch's condition is worth: a truth, or the condition that is left."""
        tag = branch.tag
        if tag.word == "else":
            return True
        if tag.word in _ASKING_BLOCKS:
            words = tag.rest.split()
            return self._keep if words and self._asking.is_name(words[0]) else tag.rest
        return condition(tag.rest, self._asking, keep=self._keep)

    def _plain(self, text: str) -> str:
        """Resolve `{{ a if asked else b }}` in what lies between blocks."""
        out, start = [], 0
        for skipped in _SKIPPED.finditer(text):
            out += [self._resolved(text[start : skipped.start()]), skipped[0]]
            start = skipped.end()
        return "".join([*out, self._resolved(text[start:])])

    def _resolved(self, text: str) -> str:
        return re.sub(r"\{\{-?(?P<inner>[^{}]*?)-?\}\}", self._printed, text)

    def _printed(self, found: re.Match[str]) -> str:
        parts = ternary(found["inner"])
        test = condition(parts[1], self._asking, keep=self._keep) if parts else ""
        if parts is None or isinstance(test, str):
            return found[0]
        chosen = parts[0] if test else parts[2]
        text = re.fullmatch(r"'([^'\"{}]*)'|\"([^'\"{}]*)\"", chosen)
        trims = found[0].startswith("{{-") or found[0].endswith("-}}")
        if text is not None and not trims and not re.search(r"[&<>\\]", text[0]):
            return text[1] or text[2] or ""
        return found[0].replace(found["inner"].strip(), chosen)


def _dedented(body: str, lead: str) -> str:
    """Move a body to the left by as much as its tags had stood further left."""
    lines = body.splitlines(keepends=True)
    depths = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    extra = min(depths, default=0) - len(lead)
    if extra <= 0:
        return body
    return "".join(
        line[extra:] if line[:extra].isspace() and line.strip() else line for line in lines
    )
