"""What is a condition of a template worth once the flag's answer is known?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flagstaff.cleanup.asking import asks
from flagstaff.cleanup.owners import of_program

_TOKEN = re.compile(
    r"\s*(?P<token>'[^']*'|\"[^\"]*\"|\w[\w.\-]*|[()\[\],]|==|!=|<=|>=|[|:<>+*/%~=-])", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Asking:
    """How a template asks for one flag; `variables` hold its answer (True), or the opposite."""

    flag: str
    variables: Mapping[str, bool] = field(default_factory=dict)

    def is_in(self, text: str) -> bool:
        """Tell whether a text may ask for the flag at all."""
        return self.flag in text or any(name in text for name in self.variables)

    def is_name(self, text: str) -> bool:
        """Tell whether a text in quotes, or without, is the flag's name."""
        bare = text[1:-1] if text[:1] in {"'", '"'} and text[-1:] == text[:1] else text
        return bare == self.flag

    def answer(self, text: str) -> bool | None:
        """Tell whether an operand asks for the flag (True), for its opposite, or for neither."""
        if text in self.variables:
            return self.variables[text]
        call = re.fullmatch(r"([\w.]+)\s*\((.*)\)(?:\s*==\s*(?:True|true))?", text, re.DOTALL)
        if call is not None:
            arguments = [each.strip() for each in call[2].split(",")]
            named = [each for each in arguments if each[:1] in {"'", '"'} and self.is_name(each)]
            owner, _, function = call[1].rpartition(".")
            return asks(function, owner) if len(named) == 1 and "(" not in call[2] else None
        index = re.fullmatch(r"([\w.]+)\[\s*(['\"][^'\"]+['\"])\s*\]", text)
        if index is not None:
            owned = of_program(index[1].split("."), self.flag) and self.is_name(index[2])
            return True if owned else None
        names = text.split(".")
        plain = all(re.fullmatch(r"\w+", name) for name in names[:-1])
        is_read = plain and names[-1] == self.flag and of_program(names[:-1], self.flag)
        return True if is_read else None


def condition(text: str, asking: Asking, *, keep: bool) -> bool | str:
    """Return the truth of a condition, or the condition that is left of it.

    What cannot be read is left as it is.
    """
    if not asking.is_in(text):
        return text
    return _either(text.strip(), asking, keep=keep)


def _either(text: str, asking: Asking, *, keep: bool) -> bool | str:
    for word, end in (("or", True), ("and", False)):
        operands = _split(text, word)
        if len(operands) > 1:
            worth = [_either(each, asking, keep=keep) for each in operands]
            if end in worth:
                return end
            left = [each for each in worth if isinstance(each, str)]
            if not left:
                return not end
            if left == operands:
                return text
            mixed = len(left) > 1
            return f" {word} ".join(left) if mixed else _bare(left[0])
    if (found := re.match(r"not\s+(.*)|not\s*(\(.*)", text, re.DOTALL)) is not None:
        inner = found[1] or found[2]
        worth_inner = _either(inner, asking, keep=keep)
        if isinstance(worth_inner, bool):
            return not worth_inner
        if worth_inner == inner:
            return text
        single = len(_split(worth_inner, "or")) == len(_split(worth_inner, "and")) == 1
        return f"not {worth_inner}" if single else f"not ({worth_inner})"
    if _is_wrapped(text):
        inner_worth = _either(text[1:-1].strip(), asking, keep=keep)
        if isinstance(inner_worth, bool):
            return inner_worth
        return text if inner_worth == text[1:-1].strip() else f"({inner_worth})"
    positive = asking.answer(text)
    return text if positive is None else positive is keep


def _bare(text: str) -> str:
    return text[1:-1].strip() if _is_wrapped(text) else text


def _is_wrapped(text: str) -> bool:
    """Tell whether one pair of parentheses stands around the whole text."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for place, found in _tokens(text):
        depth += {"(": 1, ")": -1}.get(found, 0)
        if depth == 0 and place < len(text) - 1:
            return False
    return depth == 0


def ternary(text: str) -> tuple[str, str, str] | None:
    """Return `a`, `b` and `c` of `a if b else c`, `None` for all that is not as plain as that."""
    text = text.strip()
    depth, places = 0, []
    for place, found in _tokens(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(found, 0)
        if found in {"'", '"', "\\"} or depth < 0 or (found == "," and depth == 0):
            return None
        if found in {"if", "else"} and depth == 0:
            places.append((place, found))
    if depth or [word for _, word in places] != ["if", "else"]:
        return None
    (first, _), (second, _) = places
    parts = text[:first].strip(), text[first + 2 : second].strip(), text[second + 4 :].strip()
    return parts if all(parts) else None


def _split(text: str, word: str) -> list[str]:
    """Return the operands between a word that stands outside of parentheses."""
    depth, start, operands = 0, 0, []
    for place, found in _tokens(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(found, 0)
        if found == word and depth == 0:
            operands.append(text[start:place].strip())
            start = place + len(word)
    return [*operands, text[start:].strip()]


def _tokens(text: str) -> list[tuple[int, str]]:
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if not text[place].isspace():
                # A quote without its other one, for example.
                found.append((place, text[place]))
            place += 1
            continue
        found.append((match.start("token"), match["token"]))
        place = match.end()
    return found
