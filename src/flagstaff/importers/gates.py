"""Which gates and which expression are a condition?"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from flagstaff.errors import UsageError
from flagstaff.flags.actor import OPT_OUT, check_actor_id
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.expression import check_expression
from flagstaff.flags.gates import ZERO, Gates
from flagstaff.flags.percentage import DECIMALS, HUNDRED
from flagstaff.importers.attributes import ID, attribute, present
from flagstaff.importers.condition import (
    AllOf,
    AnyOf,
    Condition,
    Drawn,
    Fixed,
    Json,
    Members,
    Not,
    Share,
    Test,
    Unknown,
    any_of,
    parts_of,
)

MOST = 900
"""Arguments of one `Any`; the expression language takes a few more."""


def gates_of(condition: Condition) -> Gates:
    """Return the gates that are open for exactly those who meet the condition.

    Raises:
        UsageError: it is too long, or nested too deeply, for one expression.
    """
    if isinstance(condition, Fixed):
        return Gates(boolean=condition.value)
    parts = condition.parts if isinstance(condition, AnyOf) else (condition,)
    rest: list[Condition] = []
    members: frozenset[str] = frozenset()
    actors = time = ZERO
    for each in parts:
        match each:
            case Members(ids=ids) if all(map(_storable, ids)):
                members |= ids
            case Share(by=None):
                # All of one flag are picked alike, so the largest share holds the others.
                actors = max(actors, exact(each.percentage))
            case Drawn():
                # Each of them draws for itself.
                time = exact(HUNDRED - (HUNDRED - time) * (HUNDRED - each.percentage) / HUNDRED)
            case _:
                rest.append(each)
    expression = None
    if rest:
        expression = expression_of(any_of(rest))
        check_expression(expression)
    return Gates(
        expression=expression,
        actors=members,
        percentage_of_actors=actors,
        percentage_of_time=time,
    )


def moves(condition: Condition, *, name: str, bucketing: Bucketing) -> bool:
    """Return whether a share of actors is picked otherwise than it was."""
    plain = condition.parts if isinstance(condition, AnyOf) else (condition,)
    for each in parts_of(condition):
        if not isinstance(each, Share) or (each.percentage >= HUNDRED and each.by is None):
            continue
        # Inside an expression shares are picked by crc32, whatever the flag says.
        is_plain = each.by is None and any(each is one for one in plain)
        ours = bucketing if is_plain else Bucketing.CRC32
        whole = ours is Bucketing.CRC32 or each.percentage == int(each.percentage)
        if each.bucketing is not ours or each.group != name or not whole:
            return True
    return False


def exact(percentage: Decimal) -> Decimal:
    """Return the percentage with the decimals we have, never more than was given."""
    return percentage.quantize(Decimal(1).scaleb(-DECIMALS), ROUND_FLOOR).normalize() + 0


def expression_of(condition: Condition) -> Json:
    """Return the condition as one expression.

    Raises:
        UsageError: it is none.
    """
    match condition:
        case Test(expression=expression):
            return expression
        case Members(ids=ids):
            return _any([{"Equal": [attribute(ID), each]} for each in sorted(ids)])
        case Share(percentage=percentage, by=by):
            return _share(percentage, by)
        case Drawn(percentage=percentage):
            return {"LessThan": [{"Random": []}, float(percentage / 100)]}
        case AllOf(parts=parts):
            return {"All": [expression_of(each) for each in parts]}
        case AnyOf(parts=parts):
            return _any([expression_of(each) for each in parts])
        case Not(part=part):
            return {"Equal": [expression_of(part), False]}
        case Fixed(value=value):
            return {"Equal": [True, value]}
        case Unknown():
            raise UsageError("nothing of ours says what this condition says")


def _share(percentage: Decimal, by: str | None) -> Json:
    picked: Json = {
        "PercentageOfActors": [attribute(by or ID), float(exact(percentage))],
    }
    if by is None:
        return picked
    # Whoever lacks the attribute would be picked by an empty text.
    return {"All": [expression_of(present(by)), picked]}


def _any(parts: list[Json]) -> Json:
    while len(parts) > MOST:
        parts = [_any(parts[at : at + MOST]) for at in range(0, len(parts), MOST)]
    return parts[0] if len(parts) == 1 else {"Any": parts}


def _storable(identity: str) -> bool:
    try:
        check_actor_id(identity)
    except UsageError:
        return False
    return not identity.endswith(OPT_OUT)
