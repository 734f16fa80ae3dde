"""Which named answers does a definition list?"""

from __future__ import annotations

import re
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.payload import read_payload
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError
from flagstaff.flags.variant import Variant

VARIANT_KEYS: Final = ("name", "weight", "payload")
MOST_WEIGHT: Final = 1_000_000
_WEIGHT: Final = re.compile(r"0|[1-9][0-9]{0,6}")


def read_variants(fields: Fields) -> tuple[Variant, ...]:
    """Return the variants under `variants`; whatever is wrong with them is noted."""
    listed = fields.mappings("variants")
    variants = tuple(_variant(each) for each in listed)
    lines: dict[str, int] = {}
    for each, variant in zip(listed, variants, strict=True):
        if first := variant.name and lines.get(variant.name):
            fields.problems.error(
                f"the variant {quote(variant.name)} is there twice, first in line {first}",
                line=each.line("name"),
                remedy="give each variant a name of its own",
            )
        lines.setdefault(variant.name, each.line("name"))
    if variants and not any(variant.weight for variant in variants):
        fields.problems.error(
            "no variant has a weight above 0, so nobody could get one",
            line=fields.line("variants"),
            remedy="write `weight: 1` for at least one, or delete `variants`",
        )
    return variants


def _variant(fields: Fields) -> Variant:
    fields.unknown(VARIANT_KEYS, fields.problems.error)
    weight = fields.parsed("weight", _weight)
    return Variant(
        name=fields.required("name", remedy="add `name:` with the name that code knows"),
        weight=1 if weight is None else weight,
        payload=read_payload(fields.node("payload"), fields.problems),
    )


def _weight(text: str) -> int:
    if not _WEIGHT.fullmatch(text) or int(text) > MOST_WEIGHT:
        raise UsageError(
            f"{quote(text)} is no weight",
            hint=f"write a whole number from 0 to {MOST_WEIGHT}; only their relation counts",
        )
    return int(text)
