"""Are variants, their payloads and the bucketing what was written?"""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstaff.definitions import Definition, parse_definition
from flagstaff.definitions.state import flag_of
from flagstaff.errors import DefinitionError
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.variant import Variant

HEAD = "name: a\ntype: ops\ndefault_enabled: false\n"


def parse(text: str) -> Definition:
    return parse_definition((HEAD + text).encode(), path=Path("ops/a.yml"))


def problems_of(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse(text)
    return [str(problem).removeprefix("ops/a.yml:") for problem in caught.value.problems]


def payload(written: str) -> object:
    return parse(f"variants:\n  - name: x\n    payload: {written}\n").variants[0].payload


def test_a_plain_flag_has_nothing_of_it():
    found = parse("")
    assert (found.bucketing, found.variants) == (Bucketing.CRC32, ())


def test_variants_as_they_are_written():
    found = parse(
        "bucketing: murmur3\n"
        "variants:\n"
        "  - name: blue\n    weight: 60\n    payload: '#00f'\n"
        "  - {name: red, payload: {hex: '#f00', sizes: [1, 2.5], bold: true, none: null}}\n"
    )
    assert found.bucketing is Bucketing.MURMUR3
    assert found.variants == (
        Variant(name="blue", weight=60, payload="#00f"),
        Variant(
            name="red",
            weight=1,
            payload={"hex": "#f00", "sizes": [1, 2.5], "bold": True, "none": None},
        ),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12", 12),
        ("-3", -3),
        ("0.5", 0.5),
        ("1.0e+3", 1000.0),
        ("'12'", "12"),
        ("plain text", "plain text"),
        ("2026-03-31", "2026-03-31"),
        ("'true'", "true"),
        ("{}", {}),
        ("", None),
    ],
)
def test_a_payload_is_what_was_typed(written, meant):
    found = payload(written)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    "written", ["no", "0x1F", "1_000", "010", "12:30:45", ".inf", "1e3", "1.0e+999", "9" * 16]
)
def test_what_others_would_read_otherwise_is_refused(written):
    (problem,) = problems_of(f"variants:\n  - name: x\n    payload: {written}\n")
    assert problem.startswith("6: the payload ")
    assert "in quotes" in problem


def test_a_payload_that_is_no_payload():
    assert problems_of(
        "variants:\n  - {name: x, payload: true}\n  - {name: y, payload: [1]}\n"
    ) == [
        (
            "5: `payload` is true, which is no text, number or mapping;"
            " put it under a key, such as `payload: {enabled: true}`, or into quotes"
        ),
        "6: `payload` is a list; put it under a key, such as `payload: {items: […]}`",
    ]


def test_everything_wrong_is_said_at_once():
    assert problems_of(
        "bucketing: crc\n"
        "variants:\n"
        "  - {name: x, weight: 0}\n"
        "  - {name: x, weight: 0, actors: [a]}\n"
        "  - {weight: 0}\n"
        "prerequisites:\n"
        "  - {flag: a}\n"
        "  - {flag: b}\n"
        "  - {flag: b, value: maybe}\n"
    ) == [
        "4: `bucketing` is 'crc', which is unknown; did you mean `crc32`?",
        (
            "5: no variant has a weight above 0, so nobody could get one;"
            " write `weight: 1` for at least one, or delete `variants`"
        ),
        "7: has the unknown key 'actors' in `variants`; known are name, weight, payload",
        "7: the variant 'x' is there twice, first in line 6; give each variant a name of its own",
        "8: has no `variants.name`; add `name:` with the name that code knows",
        "10: needs itself; name another flag, or delete the entry",
        "12: `prerequisites.value` is 'maybe'; write true or false",
        "12: needs the flag 'b' twice, first in line 11; keep one of the two",
    ]


@pytest.mark.parametrize("weight", ["-1", "0.5", "1000001", "many", "007"])
def test_a_weight_is_a_whole_number(weight):
    (problem,) = problems_of(f"variants:\n  - name: x\n    weight: {weight}\n")
    assert "whole number from 0 to 1000000" in problem


def test_the_flag_that_a_definition_declares():
    found = parse(
        "bucketing: murmur3\nvariants: [{name: x}]\nprerequisites: [{flag: b, value: false}]\n"
    )
    gates = Gates(boolean=True)
    flag = flag_of("a", found, gates)
    assert flag == Flag(
        name="a",
        type="ops",
        gates=gates,
        variants=(Variant(name="x"),),
        prerequisites=(("b", False),),
        bucketing=Bucketing.MURMUR3,
    )
    assert Flag.from_json("a", flag.to_json()) == flag
    assert flag_of("gone", None, gates) == Flag(name="gone", type="undefined", gates=gates)
