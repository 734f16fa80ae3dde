"""Does a cleaned program do what the program did with the flag pinned?"""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flagstaff.cleanup import CleanupRequest, MemoryTree, plan_in

FLAG = "new_menu"
ASKS = (
    f'flags.is_enabled("{FLAG}", t(9))',
    f'not flags.is_disabled("{FLAG}")',
    "is_on",
    "handle(9)",
)

numbers = st.integers(min_value=0, max_value=9)


def asks() -> st.SearchStrategy[str]:
    return st.sampled_from(ASKS)


def operands() -> st.SearchStrategy[str]:
    return numbers.map(lambda n: f"t({n})") | st.sampled_from(["p", "p > 2", "True", "False"])


def conditions() -> st.SearchStrategy[str]:
    return st.recursive(
        asks() | operands(),
        lambda inner: st.one_of(
            inner.map(lambda a: f"not ({a})"),
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
                lambda x: f"({x[0]} {x[1]} {x[2]})"
            ),
            st.tuples(inner, inner, inner).map(lambda x: f"({x[0]} if {x[1]} else {x[2]})"),
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
                lambda x: f"(\n        {x[0]}\n        {x[1]} {x[2]}\n    )"
            ),
        ),
        max_leaves=5,
    )


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for text in lines for line in text.split("\n")]


def simple() -> st.SearchStrategy[list[str]]:
    return st.one_of(
        numbers.map(lambda n: [f"t({n})"]),
        numbers.map(lambda n: [f"# note {n}", f"p = t({n})"]),
        conditions().map(lambda c: [f"v = {c}"]),
        conditions().map(lambda c: [f"t({c})"]),
        conditions().map(lambda c: [c]),
        conditions().map(lambda c: [f"assert {c}"]),
        conditions().map(lambda c: [f"return {c}"]),
        numbers.map(lambda n: [f"yield t({n})"]),
        conditions().map(lambda c: [f"if {c}: t(1); t(2)"]),
        st.just([f'seen = flags.is_enabled("{FLAG}")', "t(seen)", "if seen:", "    t(4)"]),
    )


def ifs(body: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    branch = st.tuples(conditions(), body)
    other = st.none() | body

    def written(parts: tuple[list[tuple[str, list[str]]], list[str] | None]) -> list[str]:
        lines: list[str] = []
        for index, (test, inside) in enumerate(parts[0]):
            lines += [f"{'elif' if index else 'if'} {test}:", *indented(inside)]
        return lines if parts[1] is None else [*lines, "else:", *indented(parts[1])]

    return st.tuples(st.lists(branch, min_size=1, max_size=3), other).map(written)


def bodies() -> st.SearchStrategy[list[str]]:
    def joined(parts: list[list[str]]) -> list[str]:
        return [line for part in parts for line in part]

    def larger(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
        return st.lists(
            st.one_of(
                ifs(inner),
                inner.map(lambda b: ["for p in (1, 2):", *indented(b)]),
                inner.map(lambda b: ["def inner(p):", *indented(b), "run(inner(p))"]),
                st.tuples(conditions(), inner).map(
                    lambda x: [f"while step() and {x[0]}:", *indented(x[1])]
                ),
                inner.map(lambda b: ["try:", *indented(b), "finally:", "    t(8)"]),
                simple(),
            ),
            min_size=1,
            max_size=3,
        ).map(joined)

    return st.recursive(simple(), larger, max_leaves=8)


HEAD = f"""
is_on = flags.is_enabled("{FLAG}")
handle = flags.flag("{FLAG}")


def main(p):
"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    return HEAD + "\n".join(indented(draw(bodies()))) + "\n"


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

    def t(value: object) -> bool:
        # The actor given to the flag is asked for no longer; all else must be.
        if value != 9:
            trace.append(value)
        return isinstance(value, int) and value % 2 == 1

    def step() -> bool:
        left[0] -= 1
        return left[0] > 0

    def run(result: object) -> None:
        trace.append(list(result) if hasattr(result, "__next__") else result)

    names: dict[str, Any] = {"flags": Flags(on=on), "t": t, "step": step, "run": run}
    try:
        exec(compile(source, "program", "exec"), names)  # noqa: S102  that is the point
        run(names["main"](argument))
    except (AssertionError, NameError, TypeError) as error:
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
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@slow
@given(source=programs(), keep=st.booleans(), argument=numbers)
def test_a_cleaned_program_behaves_as_with_the_flag_pinned(source, keep, argument):
    after = cleaned(source, keep=keep)
    expected = behaviour(source, on=keep, argument=argument)
    assert behaviour(after, on=keep, argument=argument) == expected, after
    # Without the flag's other answer there is nothing left that could depend on it.
    if FLAG not in after:
        assert behaviour(after, on=not keep, argument=argument) == expected, after


@slow
@given(source=programs(), keep=st.booleans())
def test_cleaning_twice_is_cleaning_once(source, keep):
    once = cleaned(source, keep=keep)
    cst.parse_module(once)
    ast.parse(once)
    assert cleaned(once, keep=keep) == once


@slow
@given(source=programs(), keep=st.booleans())
def test_only_what_makes_a_generator_keeps_the_flag(source, keep):
    after = cleaned(source, keep=keep)
    assert FLAG not in after or "yield" in source, after
