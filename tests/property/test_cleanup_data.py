"""Does a data file lose the flag's entries, and no other byte?"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

FLAG = "new_menu"
WORDS = st.text("abé #:-'\"\\\n\t", max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-9, 99) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
STATES = st.booleans() | st.builds(dict, enabled=st.booleans(), note=WORDS) | st.integers(0, 100)
NAMES = st.sampled_from(["flags", "feature_flags", "toggles", "features"])
PLACES = st.sampled_from(["list", "map", "items"])


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data of a file with the flag in some tables, and without it."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 4))):
        if not draw(st.booleans()):
            before[f"k{number}"] = after[f"k{number}"] = draw(VALUES)
            continue
        name = f"{draw(NAMES)}"
        before[name], after[name] = draw(tables())
    return before, after


@st.composite
def tables(draw: st.DrawFn) -> tuple[Any, Any]:
    """Return one table with the flag among its entries, and without it."""
    kind = draw(PLACES)
    if kind == "map":
        pairs = draw(st.dictionaries(WORDS, VALUES, max_size=3))
        at = draw(st.integers(0, len(pairs)))
        listed = list(pairs.items())
        return dict([*listed[:at], (FLAG, draw(STATES)), *listed[at:]]), pairs
    items = draw(st.lists(VALUES, max_size=3))
    at = draw(st.integers(0, len(items)))
    item = FLAG if kind == "list" else {"name": FLAG, "enabled": draw(st.booleans())}
    return [*items[:at], item, *items[at:]], items


def cleaned(path: str, text: str) -> str:
    tree = MemoryTree({path: text.encode()})
    plan = plan_in(tree, CleanupRequest(flag=FLAG, keep=True))
    return (plan.changes[0].after or b"").decode() if plan.changes else text


def is_cut_out(before: str, after: str) -> bool:
    """Tell whether a text is another one with pieces taken out, but for brackets put in."""
    kept = iter(before)
    return all(sign in kept for sign in re.sub(r" ?(?:\{\}|\[\])", "", after))


class Dumper(yaml.SafeDumper):
    """Writes each value where it is, without an alias for one that was there before."""

    def ignore_aliases(self, _: object) -> bool:
        return True


@given(files(), st.sampled_from([None, 1, 4, "\t"]), st.booleans())
def test_json_keeps_the_rest(
    made: tuple[Any, Any],
    indent: int | str | None,
    plain: bool,  # noqa: FBT001
) -> None:
    before, expected = made
    text = json.dumps(before, indent=indent, ensure_ascii=plain) + "\n"
    after = cleaned("app.json", text)
    assert json.loads(after) == expected
    assert list(json.loads(after)) == list(expected)
    # The standard library prints what is left just as it printed it before.
    assert after == json.dumps(expected, indent=indent, ensure_ascii=plain) + "\n"


@given(files(), st.sampled_from([True, False, None]), st.sampled_from([2, 4]), st.booleans())
def test_yaml_keeps_the_rest(
    made: tuple[Any, Any],
    flow: bool | None,  # noqa: FBT001
    indent: int,
    comments: bool,  # noqa: FBT001
) -> None:
    before, expected = made
    text = yaml.dump(
        before,
        Dumper=Dumper,
        default_flow_style=flow,
        indent=indent,
        allow_unicode=True,
        sort_keys=False,
    )
    if comments and not flow:
        text = "# The begin.\n" + text + "\n# The end.\n"
    after = cleaned("app.yml", text)
    assert yaml.safe_load(after) == expected
    assert is_cut_out(text, after)
    assert [line for line in after.split("\n") if line.startswith("# The")] == (
        ["# The begin.", "# The end."] if comments and not flow else []
    )
    assert cleaned("app.yml", after) == after
