"""Does a test without its pins do all but what it looked at under the other answer?"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

FLAG = "new_menu"
NAMES = ("v", "w")
PINS = {
    f'override_flag("{FLAG}", {{}})': True,
    f'set_config_values(app, {{{{"{FLAG}": {{}}, "other": 1}}}})': True,
    "freeze_time(0)": False,
}


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[str], set[int]]:
    """Return the lines of a test, and the numbers of the steps that may go with their blocks."""
    numbers = iter(range(1000))
    may_go: set[int] = set()

    def block(depth: int, indent: str) -> tuple[list[str], list[int], bool]:
        lines, made, looks = [], [], False
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["do", "make", "look", "read", "with", "with"]))
            number, name = next(numbers), draw(st.sampled_from(NAMES))
            if kind == "with" and depth:
                pin = draw(st.sampled_from(sorted(PINS)))
                state = draw(st.booleans())
                inner, steps, looked = block(depth - 1, indent + "    ")
                lines += [f"{indent}with {pin.format(state)}:", *inner]
                if PINS[pin] and not state and looked:
                    may_go.update(steps)
                made, looks = [*made, *steps], looks or looked
                continue
            text = {"make": f"{name} = t({number})", "look": f"assert t({number})"}
            text["read"] = f"t({number}, {name})"
            lines.append(indent + text.get(kind, f"t({number})"))
            made, looks = [*made, number], looks or kind == "look"
        return lines, made, looks

    lines, _, _ = block(3, "    ")
    return ["def test_it():", *lines, "    assert t(1000)"], may_go


def steps(source: str) -> list[int] | None:
    """Return what a test does, in order, `None` if it reads a name that was never bound."""
    done: list[int] = []

    def t(number: int, *_: object) -> bool:
        done.append(number)
        return True

    names: dict[str, Any] = {"t": t, "app": None}
    for name in ("override_flag", "set_config_values", "freeze_time"):
        names[name] = lambda *_: nullcontext()
    exec(compile(source, "test", "exec"), names)  # noqa: S102  that is the point
    try:
        names["test_it"]()
    except NameError:
        return None
    return done


@settings(max_examples=150, deadline=None)
@given(story=stories())
def test_only_what_was_looked_at_under_the_other_answer_goes(story):
    lines, may_go = story
    source = "\n".join(lines) + "\n"
    plan = plan_in(
        MemoryTree({"tests/test_a.py": source.encode()}), CleanupRequest(flag=FLAG, keep=True)
    )
    after = next(((c.after or b"").decode() for c in plan.changes), source)
    before, now = steps(source), steps(after)
    if before is None:
        return
    assert now is not None, after
    assert set(before) - set(now) <= may_go, after
    assert now == [number for number in before if number in set(now)]
