"""Is what the clean-up made of a file what a person made of it?

Files are compared in *units*: for Python each simple statement and each head of a compound one, as
the syntax tree prints it, so that neither format nor comments count; for scripts what stands
between braces, commas and semicolons, without blanks and comments; for other text each line without
its blanks. What we did is right when it lies between the file before and the person's:
nothing is gone that the person kept, and nothing is there that neither of the two files has.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

_WIDE = 100
SCRIPTS = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx")
_MARKS = {"orelse:", "finalbody:"}
_BLOCKS = ("body", "handlers", "orelse", "finalbody")
Files = Mapping[str, bytes | None]


class Verdict(StrEnum):
    """How ours stands to the person's change."""

    EQUAL = "equal"
    SAME = "same meaning"
    RESIDUE = "correct, with a residue"
    NOTHING = "nothing, with a residue"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and in words what speaks against more."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def judge(before: Files, ours: Files, person: Files, said: Collection[str]) -> Judgement:
    """Compare all files of one removal; each mapping has the same paths.

    `said` are the lines that the clean-up left to a person, with a reason.
    """
    reasons = [
        line for path in sorted(before) for line in _wrongs(path, before, ours, person, said)
    ]
    if reasons:
        return Judgement(Verdict.WRONG, tuple(reasons))
    if all(ours[path] == person[path] for path in before):
        return Judgement(Verdict.EQUAL)
    missing = tuple(p for p in sorted(before) if not _same(p, ours[p], person[p]))
    if not missing:
        return Judgement(Verdict.SAME)
    untouched = all(ours[path] == before[path] for path in before)
    return Judgement(Verdict.NOTHING if untouched else Verdict.RESIDUE, missing)


def _wrongs(
    path: str, before: Files, ours: Files, person: Files, said: Collection[str]
) -> Iterator[str]:
    if ours[path] == before[path]:
        return
    if path.endswith(".py") and ours[path] is not None and _parsed(ours[path]) is None:
        yield f"{path}: does not parse"
        return
    old, mine, theirs = (
        Counter(u for u in _units(path, f[path]) if u not in _MARKS) for f in (before, ours, person)
    )
    text = (person[path] or b"").decode("utf-8", "replace")
    for unit in (old - mine) - (old - theirs):
        if not _is_idle(unit, text):
            yield f"{path}: took away `{_short(unit)}`"
    for unit in (mine - old) - (theirs - old):
        if person[path] is not None and not _is_said(unit, said):
            yield f"{path}: put in `{_short(unit)}`"


def _is_said(unit: str, said: Collection[str]) -> bool:
    """Tell whether a line that is left to a person is the unit, or an entry of the unit."""
    if unit in said or any(unit in _pieces(line) for line in said):
        return True
    entries = {line.rstrip(",").replace('"', "'") for line in said if line.endswith(",")}
    return any(each in unit for each in entries if ":" in each)


def _is_idle(unit: str, text: str) -> bool:
    """Tell whether the person's file has an import, or a name, that nothing in it uses."""
    found = re.match(r"(?:from \S+ )?import (?:.* as )?([\w.]+)$", unit)
    found = found or re.match(r"(\w+)(?:: [^=]+)? = ", unit)
    text = re.sub(r"^\s*(?:from|import) .*$", "", text, flags=re.MULTILINE)
    return found is not None and len(re.findall(rf"\b{re.escape(found[1])}\b", text)) <= 1


def _same(path: str, one: bytes | None, other: bytes | None) -> bool:
    if one == other:
        return True
    ours, theirs = _units(path, one), _units(path, other)
    if path.endswith(".py"):
        return _in_order(ours) == _in_order(theirs)
    return ours == theirs


def _in_order(units: list[str]) -> list[str]:
    imports = [unit for unit in units if unit.lstrip().startswith(("import ", "from "))]
    return sorted(imports) + [unit for unit in units if unit not in imports]


def _units(path: str, content: bytes | None) -> list[str]:
    if content is None:
        return []
    module = _parsed(content) if path.endswith(".py") else None
    if module is not None:
        return list(_statements(module.body))
    if path.endswith(SCRIPTS):
        return _pieces(content.decode("utf-8", "replace"))
    text = re.sub(r"\{#.*?#\}|<!--.*?-->", "", content.decode("utf-8", "replace"), flags=re.DOTALL)
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _pieces(text: str) -> list[str]:
    """Return the pieces of a script; how its lines are broken and bracketed does not count."""
    text = re.sub(r"^\s*//.*$|(?<=\s)//\s.*$|/\*.*?\*/", "", text, flags=re.MULTILINE | re.DOTALL)
    pieces = re.split(
        r"[{},;]|(?<=>)\s*\n|\n\s*(?=<)|\n(?=\s*(?:return|if|else|const|let|var)\b)", text
    )
    plain = (re.sub(r"[\s()]+", "", piece) for piece in pieces)
    return [piece for piece in plain if piece]


def _parsed(content: bytes | None) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(content or b"")
        except (SyntaxError, ValueError):
            return None


def _statements(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom():
                for name in node.names:
                    alone = type(node)(**{**dict(ast.iter_fields(node)), "names": [name]})
                    yield ast.unparse(alone)
            case ast.Expr(value=ast.Constant(value=str())) | ast.Pass():
                continue  # a docstring, or what holds a body open
            case ast.Assign(targets=[target], value=ast.Dict() | ast.List() | ast.Tuple() as table):
                yield f"{ast.unparse(target)} = ..."
                yield from (f"entry: {each}" for each in _entries(table))
            case ast.Match():
                yield f"match {ast.unparse(node.subject)}"
                yield from _arms(node.cases)
            case _ if blocks := [name for name in _BLOCKS if getattr(node, name, None)]:
                yield from _compound(node, blocks)
            case _:
                yield ast.unparse(node)


def _entries(table: ast.Dict | ast.List | ast.Tuple) -> list[str]:
    if isinstance(table, ast.Dict):
        pairs = zip(table.keys, table.values, strict=True)
        return [f"{ast.unparse(k) if k else '**'}: {ast.unparse(v)}" for k, v in pairs]
    return [ast.unparse(each) for each in table.elts]


def _compound(node: ast.stmt, blocks: list[str]) -> Iterator[str]:
    decorators = getattr(node, "decorator_list", [])
    yield from (f"@{ast.unparse(each)}" for each in decorators)
    for name in blocks:
        block = getattr(node, name)
        if name == "handlers":
            yield from _arms(block)
            continue
        yield _head(node, blocks) if name == "body" else f"{name}:"
        yield from _statements(block)


def _head(node: ast.stmt, blocks: list[str]) -> str:
    fields = dict(ast.iter_fields(node)) | {name: [] for name in blocks} | {"body": [ast.Pass()]}
    if "decorator_list" in fields:
        fields["decorator_list"] = []
    return ast.unparse(type(node)(**fields, lineno=0)).removesuffix("\n    pass")


def _arms(arms: list[ast.ExceptHandler] | list[ast.match_case]) -> Iterator[str]:
    for arm in arms:
        what = arm.type if isinstance(arm, ast.ExceptHandler) else arm.pattern
        yield f"arm: {ast.unparse(what) if what else 'all'}"
        yield from _statements(arm.body)


def _short(unit: str) -> str:
    line = unit.partition("\n")[0]
    return line if len(line) <= _WIDE else f"{line[: _WIDE - 3]}..."
