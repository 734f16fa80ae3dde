"""Does a cleaned JavaScript program do what the program did with the flag pinned?"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

# Each program is parsed some hundred times; a busy machine takes its time.
pytestmark = pytest.mark.timeout(1200)
FLAG = "new_menu"
ASKS = (
    f'flags.isEnabled("{FLAG}", t(9))',
    f'!flags.isDisabled("{FLAG}")',
    f"useFlag('{FLAG}')",
    f'(flags.isEnabled("{FLAG}") === true)',
    "isOn",
)
LEAVES = (*ASKS, *ASKS, *(f"t({n})" for n in range(9)), "p", "p > 2", "true", "false", "v", "k")
Run = Callable[[list[dict[str, Any]]], list[list[object]]]


def indented(lines: list[str]) -> list[str]:
    return ["  " + line for text in lines for line in text.split("\n")]


class Writer:
    """Writes a program from Hypothesis's draws, so that it shrinks as any other value."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._names = 0

    def pick(self, *choices: str) -> str:
        return self._draw(st.sampled_from(choices))

    def name(self) -> str:
        self._names += 1
        return f"n{self._names}"

    def condition(self, depth: int = 2) -> str:
        if depth == 0:
            return self.pick(*LEAVES)
        match self.pick("leaf", "not", "pair", "pair", "chain", "ternary", "nullish", "lines"):
            case "not":
                return f"!({self.condition(depth - 1)})"
            case "pair":
                return f"({self.condition(depth - 1)} {self.pick('&&', '||')} {self.condition(0)})"
            case "chain":
                return f" {self.pick('&&', '||')} ".join(self.condition(0) for _ in range(3))
            case "lines":
                word = self.pick("&&", "||")
                return f"(\n  {self.condition(0)} {word}\n  {self.condition(depth - 1)}\n)"
            case "ternary":
                return "({} ? {} : {})".format(*(self.condition(depth - 1) for _ in range(3)))
            case "nullish":
                return f"(({self.condition(depth - 1)}) ?? {self.condition(0)})"
        return self.pick(*LEAVES)

    def simple(self) -> list[str]:
        test, name = self.condition(), self.name()
        number = self._draw(st.integers(min_value=0, max_value=8))
        end = self.pick(";", "")
        return self._draw(
            st.sampled_from(
                [
                    [f"t({number}){end}"],
                    [f"// note {number}", f"v = t({number}){end} // behind"],
                    [f"v = {test}{end}"],
                    [f"run({test}){end}"],
                    [f"{test};"],
                    [f"run({{ a: v, ...({test} && {{ b: 1, c: v }}), d: {test} }});"],
                    [f"run([...({test} ? [v, 1] : []), 2]);"],
                    [f"run(`x ${{{test} ? 'a' : v}}`);"],
                    [f"const {name} = {test}{end}", f"run({name});"],
                    [f"const {name} = (q) => {test};", f"run({name}(1));"],
                    [f"const {name} = () => ({test} ? {{ v }} : {{}});", f"run({name}());"],
                    [f"v = k{end}", f"(run)({test}){end}"],
                    [f"v = k{end}", f"[{test}].map((q) => run(q)){end}"],
                    [f"if ({test}) t({number}); else run(v);"],
                    [f"if ({test}) return v;"],
                    [f"if ({test}) v = k{end}"],
                    [f"if ((run)({test})) {{ if ({test}) {{ t({number}); }} }}"],
                    [f"return {test}{end}"],
                ]
            )
        )

    def body(self, depth: int) -> list[str]:
        own = self.pick("", "", "const k = t(3);", "let k = run(v)")
        return indented([*([own, "run(k)"] if own else []), *self.block(depth)])

    def statement(self, depth: int) -> list[str]:
        kind = self.pick("if", "if", "if", "simple", "simple", "for", "while", "def", "try", "own")
        if depth == 0 or kind == "simple":
            return self.simple()
        body = self.body(depth - 1)
        match kind:
            case "for":
                leave = f"    {self.pick('break', 'continue', 't(6)')};"
                return [
                    "for (const q of [1, 2]) {",
                    *[f"  if ({self.condition()}) {{", leave, "  }"],
                    *body,
                    "}",
                ]
            case "while":
                return [f"while (step() && ({self.condition()})) {{", *body, "}"]
            case "def":
                name = self.name()
                return [f"function {name}(p, v) {{", *body, "}", f"run({name}(p, 1));"]
            case "try":
                return ["try {", *body, "} finally {", "  t(8);", "}"]
            case "own":
                name = self.name()
                ask = f'const {name} = flags.isEnabled("{FLAG}");'
                return [ask, f"if ({name}) {{", *body, "}", f"run({name});"]
        return self.chain(depth, body)

    def chain(self, depth: int, body: list[str]) -> list[str]:
        lines = [f"if ({self.condition()}) {{", *body]
        for _ in range(self._draw(st.integers(min_value=0, max_value=2))):
            lines += [f"}} else if ({self.condition()}) {{", *self.body(depth - 1)]
        if self._draw(st.booleans()):
            lines += ["} else {", *self.body(depth - 1)]
        return [*lines, "}"]

    def block(self, depth: int) -> list[str]:
        length = self._draw(st.integers(min_value=1, max_value=3))
        return [line for _ in range(length) for line in self.statement(depth)]


@st.composite
def programs(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    lines = [
        f'const isOn = flags.isEnabled("{FLAG}");',
        "function main(p) {",
        *indented(["let v = 0;", "let k = 5;", *writer.statement(2), *writer.statement(1)]),
        f"  return {writer.condition()};",
        "}",
        "return main(p);",
    ]
    # The whole is the body of a function, so it reads as a script with a name of its own.
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with subprocess.Popen(
        ["node", str(Path(__file__).with_name("script_runner.cjs"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None

        def ask(programs: list[dict[str, Any]]) -> list[list[object]]:
            node.stdin.write(json.dumps(programs) + "\n")
            node.stdin.flush()
            return json.loads(node.stdout.readline())

        yield ask
        node.stdin.close()


def cleaned(source: str, *, keep: bool) -> str:
    plan = plan_in(MemoryTree({"menu.js": source.encode()}), CleanupRequest(flag=FLAG, keep=keep))
    if not plan.changes:
        return source
    assert plan.changes[0].after is not None
    return plan.changes[0].after.decode()


def behaviours(run: Run, source: str, *, on: bool) -> list[list[object]]:
    return run([{"source": source, "on": on, "argument": argument} for argument in (0, 1, 3)])


slow = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@slow
@given(source=programs(), keep=st.booleans())
def test_a_cleaned_script_behaves_as_with_the_flag_pinned(run, source, keep):
    after = cleaned(source, keep=keep)
    assert FLAG not in after, after
    expected = behaviours(run, source, on=keep)
    assert "SyntaxError" not in expected[0], source
    # It asks no longer, so the answer is all the same.
    assert behaviours(run, after, on=not keep) == expected, after


@slow
@given(source=programs(), keep=st.booleans())
def test_cleaning_a_script_twice_is_cleaning_once(source, keep):
    once = cleaned(source, keep=keep)
    assert cleaned(once, keep=keep) == once
