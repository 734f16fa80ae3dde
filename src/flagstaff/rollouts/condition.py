"""When is a step wanted? A small condition over facts, read and decided without asking anybody.

    production.percentage >= 25 and not (flag.type == worker or other_flag.rollout != completed)

What it may ask about: `flag.name`, `flag.type`, `percentage` (of people in production),
`ENVIRONMENT.state` (`on`, `off`, `conditional` or `unset`), `ENVIRONMENT.percentage`, and
`FLAG.rollout`: the phase of the newest rollout of another flag, or `none`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from flagstaff.errors import UsageError

LONGEST: Final = 500
DEEPEST: Final = 20
"""Brackets and negations in one another."""
_WORD: Final = re.compile(r"\s*(==|!=|<=|>=|<|>|\(|\)|[A-Za-z0-9_.%*-]+)")
_SIGNS: Final = {"==", "!=", "<", "<=", ">", ">="}
_KEYWORDS: Final = {"and", "or", "not", "(", ")"}
_ATTRIBUTES: Final = ("state", "percentage", "rollout")
_NO_ROLLOUT: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The flag in one environment: its state in one word, and for how many in 100 it is on."""

    environment: str
    state: str
    percentage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What conditions may ask about; `rollouts` are phases by the name of the flag."""

    flag: str
    type: str
    percentage: Decimal
    places: tuple[Place, ...] = ()
    rollouts: tuple[tuple[str, str], ...] = ()

    def find(self, name: str) -> str | None:
        """Return what is known under the name, or `None`."""
        direct = {
            "flag.name": self.flag,
            "flag.type": self.type,
            "percentage": str(self.percentage),
        }
        if name in direct:
            return direct[name]
        subject, _, attribute = name.rpartition(".")
        if attribute == "rollout":
            return dict(self.rollouts).get(subject, _NO_ROLLOUT)
        for place in self.places:
            if place.environment == subject:
                return place.state if attribute == "state" else str(place.percentage)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a condition holds, `None` when that cannot be known; and the fact that decided."""

    holds: bool | None
    because: str


_Test = Callable[[Facts], Verdict]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that has been read."""

    test: _Test
    flags: tuple[str, ...]
    """The flags whose rollouts it asks about."""
    places: tuple[str, ...]
    """The environments it asks about."""


@lru_cache(maxsize=500)
def parse_condition(text: str) -> Condition:
    """Return the condition that `text` is.

    >>> parse_condition("staging.state == on").places
    ('staging',)

    Raises:
        UsageError: It is none.
    """
    reader = _Reader(_words(text))
    test = reader.either()
    if reader.left:
        raise _malformed(f"`{reader.left[0]}` is one word too many")
    names = [name.rpartition(".") for name in reader.names]
    return Condition(
        test=test,
        flags=tuple(dict.fromkeys(name for name, _, last in names if last == "rollout")),
        places=tuple(
            dict.fromkeys(name for name, _, last in names if name and last in _ATTRIBUTES[:2])
        ),
    )


def decide(text: str, facts: Facts) -> Verdict:
    """Return whether the condition holds; one that cannot be read is not known to."""
    try:
        return parse_condition(text).test(facts)
    except UsageError as exc:
        return Verdict(holds=None, because=str(exc))


class _Reader:
    """Reads words from left to right: `or` binds least, then `and`, then `not`."""

    def __init__(self, words: list[str]) -> None:
        self.left = words
        self.names: list[str] = []
        self._depth = 0

    def either(self) -> _Test:
        found = [self._both()]
        while self._take("or"):
            found.append(self._both())
        return _joined(found, decisive=True)

    def _both(self) -> _Test:
        found = [self._one()]
        while self._take("and"):
            found.append(self._one())
        return _joined(found, decisive=False)

    def _one(self) -> _Test:
        if not (self.left and self.left[0] in {"not", "("}):
            return self._comparison()
        self._depth += 1
        if self._depth > DEEPEST:
            raise _malformed("too many brackets are in one another")
        if self._take("not"):
            inner = _opposite(self._one())
        else:
            self._take("(")
            inner = self.either()
            if not self._take(")"):
                raise _malformed("a bracket is not closed")
        self._depth -= 1
        return inner

    def _comparison(self) -> _Test:
        name, sign, value = self._next("a fact"), self._next("a sign"), self._next("a value")
        if sign not in _SIGNS:
            raise _malformed(f"`{sign}` is no sign; there are {' '.join(sorted(_SIGNS))}")
        if name not in {"flag.name", "flag.type", "percentage"}:
            subject, _, attribute = name.rpartition(".")
            if not subject or attribute not in _ATTRIBUTES:
                raise _malformed(f"`{name}` is no fact")
        if sign not in {"==", "!="} and _number(value) is None:
            raise _malformed(f"`{value}` is no number, which `{sign}` needs")
        self.names.append(name)
        return lambda facts: _compared(name, sign, value, facts)

    def _take(self, word: str) -> bool:
        if self.left and self.left[0] == word:
            self.left = self.left[1:]
            return True
        return False

    def _next(self, what: str) -> str:
        if not self.left or self.left[0] in _KEYWORDS:
            raise _malformed(f"{what} is missing")
        word, self.left = self.left[0], self.left[1:]
        return word


def _words(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise _malformed(f"it is longer than {LONGEST} characters")
    words, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = _WORD.match(text, at)
        if found is None:
            raise _malformed(f"`{text[at:].strip()[:20]}` cannot be read")
        words.append(found[1])
        at = found.end()
    return words


def _malformed(why: str) -> UsageError:
    return UsageError(
        f"this is no condition: {why}",
        hint="write one such as `production.percentage >= 25 and flag.type == worker`",
    )


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _compared(name: str, sign: str, value: str, facts: Facts) -> Verdict:
    found = facts.find(name)
    if found is None:
        return Verdict(holds=None, because=f"nothing is known of {name}")
    because = f"{name} is {found}"
    one, other = _number(found), _number(value)
    if one is None or other is None:
        if sign not in {"==", "!="}:
            return Verdict(holds=None, because=f"{because}, which is no number")
        return Verdict(holds=(found == value) is (sign == "=="), because=because)
    answers = {
        "==": one == other,
        "!=": one != other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }
    return Verdict(holds=answers[sign], because=because)


def _joined(tests: list[_Test], *, decisive: bool) -> _Test:
    """Return the test of them all; the first with the decisive answer decides."""

    def test(facts: Facts) -> Verdict:
        found = [each(facts) for each in tests]
        for wanted in (decisive, None):
            for each in found:
                if each.holds is wanted:
                    return each
        return Verdict(holds=not decisive, because=" and ".join(each.because for each in found))

    return test if len(tests) > 1 else tests[0]


def _opposite(test: _Test) -> _Test:
    def opposite(facts: Facts) -> Verdict:
        found = test(facts)
        return (
            found if found.holds is None else Verdict(holds=not found.holds, because=found.because)
        )

    return opposite
