"""Does a cleaned program do what the program did with the flag pinned?"""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import libcst as cst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

FLAG = "new_menu"
ASKS = (
    f'flags.is_enabled("{FLAG}", t(9))',
    f'not flags.is_disabled("{FLAG}")',
    f'os.getenv("{FLAG}", "no").lower() in ("1", "yes")',
    f'strtobool(os.getenv("{FLAG}", "no"))',
    "is_on",
    "handle(9)",
    "asker.asks_for_menu(9)",
    "asker.menu_is_off",
)

numbers = st.integers(min_value=0, max_value=8)
EFFECTS = [f"t({n})" for n in range(9)]
LEAVES = (*ASKS, *ASKS, *EFFECTS, "p", "p > 2", "True", "False", "v")


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for text in lines for line in text.split("\n")]


class Writer:
    """Writes a program from Hypothesis's draws, so that it shrinks as any other value."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def pick(self, *choices: str) -> str:
        return self._draw(st.sampled_from(choices))

    def condition(self, depth: int = 2) -> str:
        if depth == 0:
            return self.pick(*LEAVES)
        match self.pick("leaf", "not", "pair", "pair", "lines", "ternary"):
            case "not":
                return f"not ({self.condition(depth - 1)})"
            case "pair":
                return f"({self.condition(depth - 1)} {self.pick('and', 'or')} {self.condition(0)})"
            case "lines":
                word = self.pick("and", "or")
                return f"(\n    {self.condition(0)}\n    {word} {self.condition(depth - 1)}\n)"
            case "ternary":
                parts = [self.condition(depth - 1) for _ in range(3)]
                return "({} if {} else {})".format(*parts)
        return self.pick(*LEAVES)

    def simple(self) -> list[str]:
        test, number = self.condition(), self._draw(numbers)
        return self._draw(
            st.sampled_from(
                [
                    [f"t({number})"],
                    [f"# note {number}", f"v = t({number})"],
                    [f"v = {test}"],
                    [f"run({test})"],
                    [test],
                    [f"assert {test}"],
                    [f"if {test}: t({number}); v = 1"],
                    [f"yield t({number})"],
                    [f"return {test}"],
                ]
            )
        )

    def statement(self, depth: int) -> list[str]:
        kind = self.pick("if", "if", "if", "simple", "simple", "for", "while", "def", "try", "own")
        if depth == 0 or kind == "simple":
            return self.simple()
        body = indented(self.block(depth - 1))
        match kind:
            case "for":
                leave = [f"        {self.pick('break', 'continue', 't(6)')}"]
                return ["for p in (1, 2):", f"    if {self.condition()}:", *leave, *body]
            case "while":
                return [f"while step() and {self.condition()}:", *body, "else:", "    t(7)"]
            case "def":
                return ["def inner(p, v=0):", *body, "run(inner(p))"]
            case "try":
                return ["try:", *body, "finally:", "    t(8)"]
            case "own":
                return [f'seen = flags.is_enabled("{FLAG}")', "if seen:", *body, "run(seen)"]
        return self.chain(depth, body)

    def chain(self, depth: int, body: list[str]) -> list[str]:
        lines = [f"if {self.condition()}:", *body]
        for _ in range(self._draw(st.integers(min_value=0, max_value=2))):
            lines += [f"elif {self.condition()}:", *indented(self.block(depth - 1))]
        if self._draw(st.booleans()):
            lines += ["else:", *indented(self.block(depth - 1))]
        return lines

    def block(self, depth: int) -> list[str]:
        length = self._draw(st.integers(min_value=1, max_value=3))
        return [line for _ in range(length) for line in self.statement(depth)]


HEAD = f"""
is_on = flags.is_enabled("{FLAG}")
handle = flags.flag("{FLAG}")


class Asker:
    def asks_for_menu(self, _):
        return flags.is_enabled("{FLAG}")

    @property
    def menu_is_off(self):
        return not self.asks_for_menu(1)


asker = Asker()


def main(p):
"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    lines = ["v = 0", *writer.statement(2), *writer.statement(1), f"return {writer.condition()}"]
    return HEAD + "\n".join(indented(lines)) + "\n"


@st.composite
def decisions(draw: st.DrawFn) -> str:
    """Small programs that are all conditions, and go on to their end."""
    writer = Writer(draw)
    chain = [f"if {writer.condition()}:", "    t(1)", f"elif {writer.condition()}:", "    t(2)"]
    lines = [
        "v = 0",
        *chain,
        *(["else:", "    t(3)"] if draw(st.booleans()) else []),
        f"run({writer.condition()})",
        f"while step() and {writer.condition()}:",
        "    t(4)",
        writer.condition(),
        f"return {writer.condition()}",
    ]
    text = "\n".join(["def main(p):", *indented(lines)]) + "\n"
    # Names that hold the answer take much longer to follow, and have their own programs.
    for ask in ASKS[4:]:
        text = text.replace(ask, ASKS[len(ask) % 4])
    return text


class Flags:
    def __init__(self, *, on: bool) -> None:
        self._on = on

    def is_enabled(self, _name: str, *_: object) -> bool:
        return self._on

    def is_disabled(self, _name: str, *_: object) -> bool:
        return not self._on

    def flag(self, _name: str) -> Any:
        return lambda *_: self._on


def behaviour(source: str, *, on: bool, argument: int) -> list[object]:
    """Run a program, and return its trace and how it ended."""
    trace: list[object] = []
    left = [3]

    def t(value: object) -> int:
        # The actor given to the flag, `t(9)`, is asked for no longer; all else must be.
        if type(value) is not int or value != 9:
            trace.append(value)
        return value if isinstance(value, int) and value % 2 else 0

    def step() -> bool:
        left[0] -= 1
        return left[0] > 0

    def run(result: object) -> None:
        trace.append(list(result) if hasattr(result, "__next__") else result)

    environment = SimpleNamespace(getenv=lambda *_: "Yes" if on else "No")
    names: dict[str, Any] = {"flags": Flags(on=on), "t": t, "step": step, "run": run}
    names |= {"os": environment, "strtobool": lambda text: text == "Yes"}
    try:
        exec(compile(source, "program", "exec"), names)  # noqa: S102  that is the point
        run(names["main"](argument))
    except AssertionError as error:
        trace.append(type(error))
    return trace


def cleaned(source: str, *, keep: bool) -> str:
    request = CleanupRequest(flag=FLAG, keep=keep)
    plan = plan_in(MemoryTree({"app/main.py": source.encode()}), request)
    if not plan.changes:
        return source
    assert plan.changes[0].after is not None
    return plan.changes[0].after.decode()


slow = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@slow
@given(source=programs(), keep=st.booleans())
def test_a_cleaned_program_behaves_as_with_the_flag_pinned(source, keep):
    after = cleaned(source, keep=keep)
    for argument in (0, 1, 3):
        expected = behaviour(source, on=keep, argument=argument)
        assert behaviour(after, on=keep, argument=argument) == expected, after
        # Where the flag is asked for no longer, its answer is all the same.
        if FLAG not in after:
            assert behaviour(after, on=not keep, argument=argument) == expected, after


@settings(slow, max_examples=150)
@given(source=decisions(), keep=st.booleans())
def test_a_cleaned_condition_is_as_true_and_calls_as_much(source, keep):
    after = cleaned(source, keep=keep)
    assert FLAG not in after, after
    for argument in (0, 1, 3):
        expected = behaviour(source, on=keep, argument=argument)
        assert behaviour(after, on=not keep, argument=argument) == expected, after


@slow
@given(source=programs(), keep=st.booleans())
def test_cleaning_twice_is_cleaning_once(source, keep):
    once = cleaned(source, keep=keep)
    cst.parse_module(once)
    ast.parse(once)
    assert cleaned(once, keep=keep) == once
    # Only what would stop to be a generator may still ask.
    assert FLAG not in once or "yield" in source, once
