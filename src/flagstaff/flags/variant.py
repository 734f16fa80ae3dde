"""Which of several named answers does an actor get?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

from flagstaff.errors import SnapshotError
from flagstaff.flags.bucketing import BUCKETS, bucket, combined
from flagstaff.flags.fractional import HASHES, text_hash
from flagstaff.flags.wire import malformed, read_object, read_text, read_texts, read_whole

Payload = str | int | float | bool | dict[str, object] | list[object] | None
"""What a variant carries to the code: any JSON."""

Choose = Callable[[tuple[str, ...]], "Variant"]
"""Chooses from the ids of the actors."""

_KEYS = frozenset({"name", "weight", "payload", "actors"})
_SALT = "/variant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One named answer of a flag that is on.

    Attributes:
        name: as code knows it.
        weight: its share, relative to the weights of the others; 0: only for `actors`.
        payload: what it carries.
        actors: ids that always get it.
    """

    name: str
    weight: int = 1
    payload: Payload = field(default=None, hash=False)
    actors: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return {
            "name": self.name,
            "weight": self.weight,
            "payload": self.payload,
            "actors": sorted(self.actors),
        }

    @classmethod
    def from_json(cls, data: object) -> Variant:
        """Return the variant that `to_json` wrote.

        Raises:
            SnapshotError: it is malformed.
        """
        found = read_object(data, "variant")
        if unknown := sorted(found.keys() - _KEYS):
            raise malformed("variant", "a part of a variant", ", ".join(unknown))
        return cls(
            name=read_text(found.get("name"), "variant name"),
            weight=read_whole(found.get("weight", 1), "variant weight"),
            payload=cast("Payload", found.get("payload")),
            actors=read_texts(found.get("actors", []), "variant actors"),
        )


def read_variants(data: object) -> tuple[Variant, ...]:
    """Return the variants of a flag, whose weights must add up to more than 0.

    Raises:
        SnapshotError: they are malformed, or two have the same name.
    """
    if not isinstance(data, list):
        raise malformed("variants", "a list", data)
    variants = tuple(Variant.from_json(each) for each in data)
    if variants and not any(variant.weight for variant in variants):
        raise SnapshotError("variants: no variant has a weight above 0")
    if len({variant.name for variant in variants}) < len(variants):
        raise SnapshotError("variants: two have the same name")
    return variants


def chooser(
    flag: str,
    variants: Iterable[Variant],
    draw: Callable[[], float],
    as_flagd: Callable[[bytes], int] | None = None,
) -> Choose:
    """Return what chooses a variant: sticky by actor, drawn anew when there is none.

    The choice has buckets of its own, so that the first actors of a percentage do not all get the
    first variant. More weight for one variant moves actors only at the borders between variants.

    Args:
        flag: its name.
        variants: to choose from.
        draw: a number from 0 up to, not including, 1.
        as_flagd: the hash of a flag that is bucketed as flagd does; None is the usual way.
    """
    listed = tuple(variants)
    pinned = {actor: variant for variant in reversed(listed) for actor in variant.actors}
    whole = sum(variant.weight for variant in listed)
    borders: list[tuple[int, Variant]] = []
    reached = 0
    for variant in listed:
        reached += variant.weight
        borders.append((reached, variant))

    size = BUCKETS if as_flagd is None else HASHES

    def fallen(identity: str) -> int:
        if as_flagd is None:
            return bucket(flag + _SALT, identity)
        return text_hash(variant_prefix(flag) + identity, as_flagd)

    def choose(ids: tuple[str, ...]) -> Variant:
        for each in ids:
            if each in pinned:
                return pinned[each]
        at = fallen(combined(ids)) if ids else int(draw() * size)
        return next(variant for border, variant in borders if at * whole < border * size)

    return choose


def variant_prefix(flag: str) -> str:
    """Return what stands before an id when a variant is chosen as flagd does."""
    return f"{flag}{_SALT}:"
