"""Which lines of a Python file make one statement, and how would Black lay them out?

Only what Black would put on fewer lines is told: a statement that a clean-up made shorter, or moved
to the left, may fit where it did not. A comma before a closing bracket keeps it open, as there.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_DEEPER = "    "
_IDLE = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_STARTS = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_ENDS = {getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END")}
_STRING_END = re.compile(r"['\"]$")
_STRING_START = re.compile(r"[rbfutRBFUT]{0,2}['\"]")
# Black's own parentheses, around a value or a condition that is too long for its line.
_OPENED = re.compile(
    r"(?:(?:return|if|elif|while|assert(?: .*,)?|(?:async )?for .* in|\S.* [-+*/|&^%@]{0,2}=) )\($"
)
_CLOSED = re.compile(r"\)(:?)((?:  #.*)?)$")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands between two commas: `heads` around the `bodies` of brackets opened in it."""

    heads: tuple[str, ...]
    bodies: tuple[tuple[Chunk, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One statement, or the head of one, on several lines: from `start` up to `end`, from 0.

    `chunk` is `None` where it stays as it is; `is_foreign` tells that Black would never lay it out
    like this, rather than that it holds a comment, or a text that takes several lines.
    """

    start: int
    end: int
    text: str
    chunk: Chunk | None
    is_foreign: bool = False


def logical_lines(text: str) -> list[LogicalLine]:
    """Return the statements of a file that take several lines; none of one that cannot be read."""
    rows = text.split("\n")
    try:
        return [_logical(rows, tokens) for tokens in _statements(text)]
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return []


def rows_of(line: LogicalLine, width: int) -> list[str]:
    """Return the rows of a line in the fewest that Black would give it."""
    assert line.chunk is not None  # noqa: S101  asked before
    indent = _indent(line.text)
    bare = _unparenthesised(line.chunk)
    if bare is not None and len(indent) + len(bare) <= width:
        return [indent + bare]
    return list(_laid_out(line.chunk, indent, width))


def flat(line: LogicalLine) -> str | None:
    """Return a line as a single row without its indentation, `None` if a comma forbids it."""
    return None if line.chunk is None else _flat(line.chunk)


def _statements(text: str) -> Iterator[list[tokenize.TokenInfo]]:
    """Yield the tokens of each statement that takes several lines."""
    tokens: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            if tokens and tokens[0].start[0] < token.start[0]:
                yield tokens
            tokens = []
        elif tokens or token.type not in _IDLE:
            tokens.append(token)


def _logical(rows: Sequence[str], tokens: Sequence[tokenize.TokenInfo]) -> LogicalLine:
    start, end = tokens[0].start[0] - 1, tokens[-1].end[0]
    text = "\n".join(rows[start:end])
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    if any(token is not tokens[-1] for token in comments):
        return LogicalLine(start, end, text, None)
    if any(_spans(token) for token in tokens):
        return LogicalLine(start, end, text, None)
    chunk = _shaped(rows[start:end], tokens, start + 1)
    return LogicalLine(start, end, text, chunk, is_foreign=chunk is None)


def _shaped(rows: Sequence[str], tokens: Sequence[tokenize.TokenInfo], first: int) -> Chunk | None:
    """Return how the rows nest, `None` unless Black would leave brackets open in this way."""
    tokens = [token for token in tokens if token.type != tokenize.NL]
    opening: list[bool] = [False] * len(rows)
    closing: list[bool] = [False] * len(rows)
    for (one, before), (other, after) in _spanning(tokens):
        if before.start[0] == one.start[0] or after.start[0] == other.start[0]:
            return None
        opening[one.start[0] - first] = closing[other.start[0] - first] = True
    texts = [row.strip() for row in rows]
    # Without a bracket that is open, it is a backslash that joins two rows.
    depth = 0
    for row in range(len(rows) - 1):
        depth += opening[row] - closing[row]
        if depth <= 0:
            return None
    chunk, end = _chunk(texts, opening, closing, 0)
    indent = _indent(rows[0])
    same = end == len(rows) and list(_laid_out(chunk, indent, None)) == list(rows)
    return chunk if same else None


def _spans(token: tokenize.TokenInfo) -> bool:
    lines = token.type != tokenize.NL and token.start[0] != token.end[0]
    return lines or token.type == tokenize.ERRORTOKEN


_Ends = tuple[tuple[tokenize.TokenInfo, tokenize.TokenInfo], ...]


def _spanning(tokens: Sequence[tokenize.TokenInfo]) -> Iterator[_Ends]:
    """Yield the brackets that take several rows.

    Each is what opens, with what is behind it, and what closes, with what is before it.
    """
    stack: list[int] = []
    within = 0
    for place, token in enumerate(tokens):
        within += (token.type in _STARTS) - (token.type in _ENDS)
        if token.type != tokenize.OP or within:
            continue
        if token.string in "([{":
            stack.append(place)
        elif token.string in ")]}" and stack:
            opener = stack.pop()
            if tokens[opener].start[0] != token.start[0]:
                yield (tokens[opener], tokens[opener + 1]), (token, tokens[place - 1])


def _chunk(
    texts: Sequence[str], opening: Sequence[bool], closing: Sequence[bool], row: int
) -> tuple[Chunk, int]:
    """Return the chunk that begins on a row, and the row behind it."""
    heads, bodies = [texts[row]], []
    while opening[row]:
        row += 1
        body = []
        while not closing[row]:
            inner, row = _chunk(texts, opening, closing, row)
            body.append(inner)
        bodies.append(tuple(body))
        heads.append(texts[row])
    return Chunk(tuple(heads), tuple(bodies)), row + 1


def _laid_out(chunk: Chunk, indent: str, width: int | None) -> Iterator[str]:
    """Yield the rows of a chunk; without a width each stays as it is."""
    whole = None if width is None else _flat(chunk)
    if whole is not None and len(indent) + len(whole) <= (width or 0):
        yield indent + whole
        return
    deeper = indent + _DEEPER
    yield indent + chunk.heads[0]
    for body, head in zip(chunk.bodies, chunk.heads[1:], strict=True):
        inner = None if width is None else _flat_body(body)
        if inner and len(deeper) + len(inner) <= (width or 0):
            yield deeper + inner
        else:
            for element in _elements(body):
                yield from _element(element, deeper, width)
        yield indent + head


def _element(chunks: Sequence[Chunk], indent: str, width: int | None) -> Iterator[str]:
    whole = None if width is None or len(chunks) == 1 else _flat_chunks(chunks)
    if whole is not None and len(indent) + len(whole) <= (width or 0):
        yield indent + whole
        return
    for each in chunks:
        yield from _laid_out(each, indent, width)


def _elements(body: Sequence[Chunk]) -> list[list[Chunk]]:
    """Return what is between two commas, where each of them ends a row."""
    elements: list[list[Chunk]] = [[]]
    for chunk in body:
        elements[-1].append(chunk)
        if chunk.heads[-1].endswith(","):
            elements.append([])
    return [each for each in elements if each] if len(elements) > 1 else [[c] for c in body]


def _flat(chunk: Chunk) -> str | None:
    text = chunk.heads[0]
    for body, head in zip(chunk.bodies, chunk.heads[1:], strict=True):
        inner = _flat_body(body)
        if inner is None:
            return None
        text += inner + head
    return text


def _flat_body(body: Sequence[Chunk]) -> str | None:
    """Return what is between brackets on one row, `None` if it is to stay on several."""
    text = _flat_chunks(body)
    return None if text is None or text.endswith(",") else text


def _flat_chunks(chunks: Sequence[Chunk]) -> str | None:
    text = ""
    for chunk in chunks:
        part = _flat(chunk)
        # Whether texts that stand one below the other become one is a matter of taste.
        beside = _STRING_END.search(text) and part is not None and _STRING_START.match(part)
        if part is None or beside:
            return None
        text += part if not text or part.startswith(".") else f" {part}"
    return text


def _unparenthesised(chunk: Chunk) -> str | None:
    """Return a line as one row without the parentheses that only held it open."""
    if len(chunk.bodies) != 1 or not _OPENED.match(chunk.heads[0]):
        return None
    closed, inner = _CLOSED.match(chunk.heads[1]), _flat_body(chunk.bodies[0])
    if closed is None or inner is None:
        return None
    bare = f"{chunk.heads[0][:-1]}{inner}{closed[1]}"
    kept = f"{chunk.heads[0]}{inner}){closed[1]}"
    return bare + closed[2] if _means_same(bare, kept) else None


def _means_same(one: str, other: str) -> bool:
    try:
        first, second = (ast.dump(ast.parse(_complete(each))) for each in (one, other))
    except SyntaxError:
        return False
    return first == second


def _complete(text: str) -> str:
    """Return the head of a statement with something below it."""
    return f"{text.removeprefix('el')} pass" if text.endswith(":") else text


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" "))]
