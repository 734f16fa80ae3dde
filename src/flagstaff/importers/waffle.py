"""What does a fixture of django-waffle say, as `manage.py dumpdata waffle` writes it?

A percentage is drawn once for each browser and kept in its cookie, so the answers before cannot be
foretold; what is known is how likely each is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import Bucketing
from flagstaff.importers.attributes import equals, is_one_of
from flagstaff.importers.condition import (
    EVERYBODY,
    NOBODY,
    Condition,
    Drawn,
    Fixed,
    Members,
    Share,
    any_of,
)
from flagstaff.importers.evaluating import GROUPS
from flagstaff.importers.model import Answer, Export, Fate, ImportedFlag, Taken
from flagstaff.importers.names import our_names
from flagstaff.importers.reading import At
from flagstaff.importers.taking import Losses, nameless, take

SYSTEM = "waffle"
USER = "User:{}"
"""How a Django user is called here, by the primary key."""

_KINDS = ("flag", "switch", "sample")
_PEOPLE = {"superusers": "is_superuser", "staff": "is_staff"}
_HUNDRED = Decimal(100)


def looks_like_waffle(document: At) -> bool:
    """Return whether this is a fixture with something of django-waffle in it."""
    found = document.value
    return isinstance(found, list) and any(
        isinstance(each, dict) and _kind(each.get("model")) for each in found
    )


def read_waffle(document: At) -> Export:
    """Return what a fixture says.

    Raises:
        UsageError: it is malformed; the place is named.
    """
    groups: dict[str, str] = {}
    found: dict[str, tuple[str, At]] = {}
    for each in document.each():
        model, fields = each["model"].text(), each["fields"]
        if model == "auth.group":
            groups[str(each["pk"].value)] = fields["name"].name()
        elif kind := _kind(model):
            name = fields["name"].name()
            # Flags, switches and samples have names of their own there, and share them here.
            key = name if name not in found else f"{name} ({kind})"
            found[key] = (kind, fields)
    names = our_names(found)
    flags = [
        nameless(key, at.place, names) or _imported(key, names[key], kind, at, groups)
        for key, (kind, at) in found.items()
    ]
    return Export(system=SYSTEM, environments=("",), flags=tuple(flags), remarks=_remarks(found))


def _remarks(found: Mapping[str, tuple[str, At]]) -> tuple[str, ...]:
    remarks = [f"a user with the primary key 42 is the actor {USER.format(42)}"]
    if any(at.has("percent") for kind, at in found.values() if kind == "flag"):
        remarks.append(
            "who had a percentage before is in the cookies of browsers: changes are expected values"
        )
    if any(at[each].value for _, at in found.values() for each in _PEOPLE):
        remarks.append(
            "ask with the attributes is_superuser and is_staff, which superusers and staff go by"
        )
    return tuple(remarks)


def _kind(model: object) -> str:
    """Return whether a model is a flag, a switch or a sample; a flag may be a class of your own."""
    name = str(model).rpartition(".")
    found = name[2].removeprefix("abstract") if name[0] == "waffle" else ""
    return found if found in _KINDS else ""


def _imported(key: str, name: str, kind: str, at: At, groups: Mapping[str, str]) -> ImportedFlag:
    losses = Losses()
    if kind == "switch":
        condition: Condition = Fixed(value=at["active"].truth())
        on = float(at["active"].truth())
        answer: Answer = lambda _actor: on  # noqa: E731 - a constant
    elif kind == "sample":
        share = _percent(at["percent"])
        condition = EVERYBODY if share == _HUNDRED else Drawn(percentage=share) if share else NOBODY
        answer = lambda _actor: float(share) / 100  # noqa: E731 - a constant
    else:
        condition, named = _flag(at, groups, losses)
        answer = _answer(at, named)
    taken = take(condition, answer, losses, name=name, bucketing=Bucketing.CRC32)
    if kind == "flag" and at["everyone"].value is None:
        taken = _with_groups(taken, at, groups)
    return ImportedFlag(
        theirs=key,
        name=name,
        type="ops" if kind == "switch" else "development",
        description=at["note"].text(""),
        places={"": taken},
    )


def _flag(at: At, groups: Mapping[str, str], losses: Losses) -> tuple[Condition, list[str]]:
    """Return for whom a flag is on beside its groups, and the names of those."""
    everyone = at["everyone"].value
    if everyone is not None:
        return Fixed(value=at["everyone"].truth()), []
    if at["testing"].truth(default=False):
        losses(at["testing"].place, "a tester cannot turn a flag on by an address or a cookie")
    named = []
    for each in at["groups"].each():
        known = _group_name(each, groups)
        if known:
            named.append(known)
        else:
            losses(each.place, "the fixture does not name this group: dump auth.group as well")
    users = []
    for each in at["users"].each():
        if isinstance(each.value, int | str) and not isinstance(each.value, bool):
            users.append(USER.format(each.value))
        else:
            losses(each.place, "a user without a primary key: dump without --natural-foreign")
    parts = [equals(_PEOPLE[key], True) for key in _PEOPLE if at[key].truth(default=False)]
    if at["authenticated"].truth(default=False):
        parts.append(Share(percentage=_HUNDRED))
    if languages := _languages(at):
        parts.append(is_one_of("language", languages))
    if users:
        parts.append(Members(frozenset(users)))
    if at.has("percent") and (share := _percent(at["percent"])):
        parts.append(Share(percentage=share))
    return any_of(parts), named


def _with_groups(taken: Taken, at: At, groups: Mapping[str, str]) -> Taken:
    named = frozenset(name for each in at["groups"].each() if (name := _group_name(each, groups)))
    if not named or taken.gates.boolean:
        return taken
    fate = Fate.PARTLY if taken.losses else taken.fate
    return replace(taken, gates=replace(taken.gates, groups=named), fate=fate, reads=True)


def _group_name(at: At, groups: Mapping[str, str]) -> str:
    if isinstance(at.value, list) and len(at.value) == 1 and isinstance(at.value[0], str):
        return at.value[0]
    return groups.get(str(at.value), "")


def _percent(at: At) -> Decimal:
    share = Decimal(str(at.number())).quantize(Decimal("0.001"), ROUND_HALF_UP)
    if not 0 <= share <= _HUNDRED:
        raise at.wrong("a number from 0 to 100")
    return share


def _languages(at: At) -> list[str]:
    return [each.strip() for each in at["languages"].text("").split(",") if each.strip()]


def _answer(at: At, named: list[str]) -> Answer:
    everyone = at["everyone"].value
    if everyone is not None:
        return lambda _actor: float(everyone)
    checks = [_PEOPLE[key] for key in _PEOPLE if at[key].truth(default=False)]
    signed_in = at["authenticated"].truth(default=False)
    users = {USER.format(each.value) for each in at["users"].each()}
    languages, groups = _languages(at), frozenset(named)
    share = float(_percent(at["percent"])) / 100 if at.has("percent") else 0

    def answer(actor: Actor) -> float:
        attributes = actor.flag_attributes
        belongs = attributes.get(GROUPS)
        if (
            signed_in
            or actor.flag_id in users
            or any(attributes.get(each) is True for each in checks)
            or attributes.get("language") in languages
            or (isinstance(belongs, list) and not groups.isdisjoint(belongs))
        ):
            return 1
        return share

    return answer
