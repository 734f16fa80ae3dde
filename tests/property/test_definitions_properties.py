from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from flagstaff.definitions import (
    FLAG_TYPES,
    Definition,
    format_duration,
    lint,
    load_project,
    parse_definition,
    parse_duration,
    parse_percentage,
)
from flagstaff.definitions import nodes as nodes_module
from flagstaff.definitions.prerequisites import Prerequisite
from flagstaff.errors import DefinitionError, UsageError
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.variant import Variant

NAMES = st.from_regex(r"[a-z0-9]{1,6}(_[a-z0-9]{1,6}){0,3}", fullmatch=True)
TEXTS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=30
)
ADDRESSES = st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z0-9/_#?-]{0,20}", fullmatch=True)
KEYS = st.sampled_from(
    ("name", "type", "group", "milestone", "default_enabled", "x", "<<", "~", "ramp", "channels")
)
SCRAPS = st.lists(
    st.one_of(
        KEYS.map(lambda key: f"{key}: "),
        st.sampled_from(list("[]{}&*!|>'\"%@`#?:-,\n\t ")),
        st.sampled_from(["\n", "---\n", "- ", "  ", "null", "no", "15.1", "!!int ", "\\U110000"]),
        st.text(max_size=3),
    ),
    max_size=40,
).map("".join)


@pytest.fixture(params=["SafeLoader", "CSafeLoader"], autouse=True, scope="module")
def _each_loader(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes_module, "_LOADER", getattr(yaml, request.param))
        yield


def load_or_explain(data: bytes) -> None:
    try:
        definition = parse_definition(data, path=Path("ops/x.yml"))
    except DefinitionError as error:
        found = error
    else:
        assert definition.name == "x"
        return
    assert found.problems
    assert all(problem.file == "ops/x.yml" and problem.what for problem in found.problems)
    assert str(found).encode().count(b"\n") == len(found.problems) - 1


@given(st.binary(max_size=300))
@example(b"name: \xf0\x9f\x98\x80\xed\xa0\x80")
def test_any_bytes_are_a_definition_or_a_definition_error(data):
    load_or_explain(data)


@given(SCRAPS)
@example('name: "\\ud800"')
@example("%YAML 9999999999999999999.1\n---\nname: x")
@example("? ")
@example("name: x\ntype: ops\ndefault_enabled: false\nmilestone: !!str 15.1\n")
def test_any_text_is_a_definition_or_a_definition_error(text):
    load_or_explain(text.encode("utf-8", "surrogatepass"))


@given(SCRAPS)
def test_any_settings_are_a_project_or_a_definition_error(tmp_path_factory, text):
    root = tmp_path_factory.mktemp("project")
    (root / "flagstaff.yml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(DefinitionError):
        assert set(load_project(root).stages.values()) <= set(load_project(root).environments)
    errors, warnings = lint(root)
    assert all("\n" not in str(problem) and str(problem).encode() for problem in errors + warnings)


# `1e5` is a text to some readers of YAML and a number to others: written bare, it is refused.
SCALARS = (
    TEXTS.map(lambda text: f"t{text}")
    | st.integers(-(10**14), 10**14)
    | st.floats(allow_nan=False, allow_infinity=False)
)
NESTED = st.recursive(
    SCALARS | st.booleans() | st.none(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=3),
    max_leaves=5,
)
PAYLOADS = SCALARS | st.none() | st.dictionaries(NAMES, NESTED, max_size=3)
VARIANTS = st.lists(
    st.builds(Variant, name=NAMES, weight=st.integers(1, 1_000_000), payload=PAYLOADS),
    max_size=3,
    unique_by=lambda variant: variant.name,
).map(tuple)


def written(value: object) -> object:
    """Return a definition's value as YAML can hold it."""
    match value:
        case Bucketing():
            return value.value
        case (Variant(), *_):
            return [
                {"name": each.name, "weight": each.weight, "payload": each.payload}
                for each in value
            ]
        case (Prerequisite(), *_):
            return [{"flag": each.flag, "value": each.value} for each in value]
        case _:
            return value or None if isinstance(value, tuple) else value


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    name = draw(NAMES)
    kind = draw(st.sampled_from(tuple(FLAG_TYPES.values())))
    return Definition(
        name=name,
        type=kind.name,
        default_enabled=kind.may_default_on and draw(st.booleans()),
        group=draw(st.none() | TEXTS),
        milestone=draw(st.none() | st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}", fullmatch=True)),
        introduced_by_url=draw(st.none() | ADDRESSES),
        feature_issue_url=draw(st.none() | ADDRESSES),
        rollout_issue_url=draw(st.none() | ADDRESSES),
        log_state_changes=draw(st.booleans()),
        intended_to_rollout_by=draw(st.none() | st.dates(date(1000, 1, 1))),
        bucketing=draw(st.sampled_from(Bucketing)),
        variants=draw(VARIANTS),
        prerequisites=tuple(
            Prerequisite(flag=flag, value=draw(st.booleans()))
            for flag in sorted(draw(st.sets(NAMES, max_size=3)) - {name})
        ),
        path=Path(kind.name) / f"{name}.yml",
    )


@given(definitions())
def test_a_written_definition_reads_back_as_it_was(definition):
    keys = [slot for slot in Definition.__slots__ if slot != "path"]
    values = {key: written(getattr(definition, key)) for key in keys}
    data = yaml.safe_dump(values, allow_unicode=True).encode()
    assert parse_definition(data, path=definition.path) == definition


@given(st.integers(0, 3650 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_written_duration_reads_back_as_it_was(length):
    assert parse_duration(format_duration(length)) == length


@given(st.text(max_size=12) | st.from_regex(r"[0-9.eE%+-]{1,8}", fullmatch=True))
def test_a_percentage_is_in_range_or_refused(text):
    with suppress(UsageError):
        number = parse_percentage(text)
        assert 0 < number < 100
        assert number == Decimal(text)
        assert number % Decimal("0.001") == 0
