"""Whatever a file holds, it is read or the mistake is explained, and nobody gets too much."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flagstaff.definitions import parse_definition
from flagstaff.errors import UsageError
from flagstaff.flags.actor import Actor
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.importers import FORMATS, compare, definition_file, read_actors, read_export

SAMPLES = {
    path.name: json.loads(path.read_text())
    for path in (Path(__file__).parents[1] / "unit/importers/samples").glob("*.json")
}
VALUES = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        st.sampled_from(["user", "id", "$in", "IN", "segmentMatch", "default", "50"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
ACTORS = [Actor("User:1"), Actor("User:2", {"plan": "gold", "country": ["de"], "age": None})]


def places(document, path=()):
    yield path
    listed = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in listed:
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def spoilt(document, path, value):
    if not path:
        return value
    made = dict(document) if isinstance(document, dict) else list(document)
    made[path[0]] = spoilt(document[path[0]], path[1:], value)
    return made


def answer(reader, data, **more):
    try:
        return reader(data, source="x.json", **more), None
    except UsageError as mistake:
        return None, mistake


def check(document, system):
    export, mistake = answer(read_export, json.dumps(document).encode(), system=system)
    if mistake is not None:
        assert mistake.hint
        return
    for flag in export.flags:
        if not flag.name:
            assert flag.losses
            continue
        text = definition_file(flag, system=export.system)
        parse_definition(text.encode(), path=Path(f"f/{flag.type}/{flag.name}.yml"))
        for taken in flag.places.values():
            assert Gates.from_json(json.loads(json.dumps(taken.gates.to_json()))) == taken.gates
            after = {flag.name: Flag(name=flag.name, gates=taken.gates)}
            compare([(flag, taken)], after, ACTORS, environment="dev")


@given(VALUES, st.sampled_from(["", *FORMATS]))
def test_anything(document, system):
    check(document, system)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data(), st.sampled_from(sorted(SAMPLES)), VALUES)
def test_an_export_with_one_wrong_value(data, name, value):
    document = SAMPLES[name]
    path = data.draw(st.sampled_from(list(places(document))))
    check(spoilt(document, path, value), data.draw(st.sampled_from(["", *FORMATS])))


@given(st.binary(max_size=60))
def test_actors_from_any_bytes(data):
    actors, mistake = answer(read_actors, data)
    assert actors or mistake.hint
