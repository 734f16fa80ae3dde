"""What does an export of LaunchDarkly say?

One flag or a list of them as the REST API gives them, with all environments; or the file that SDKs
take as a source of data, of one environment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flagstaff.errors import UsageError
from flagstaff.flags.bucketing import Bucketing
from flagstaff.importers.condition import Condition
from flagstaff.importers.launchdarkly_answer import Answers
from flagstaff.importers.launchdarkly_flag import LdFlag, Segment, read_segment
from flagstaff.importers.launchdarkly_rules import flag_condition
from flagstaff.importers.model import Export, ImportedFlag, Loss, Taken
from flagstaff.importers.names import our_names
from flagstaff.importers.reading import At
from flagstaff.importers.taking import Losses, nameless, take

SYSTEM = "launchdarkly"
_OF_FILE = frozenset({"flags", "flagValues", "segments"})


def looks_like_launchdarkly(document: At) -> bool:
    """Return whether this is an export of LaunchDarkly."""
    found = document.value
    if not isinstance(found, dict):
        return False
    if isinstance(found.get("variations"), list) and "environments" in found:
        return True
    items = found.get("items")
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return "variations" in items[0]
    listed = [found[key] for key in _OF_FILE if key in found]
    return bool(listed) and all(isinstance(each, dict) for each in listed)


def read_launchdarkly(document: At) -> Export:
    """Return what an export says.

    Raises:
        UsageError: it is malformed; the place is named.
    """
    archived: list[str] = []
    if document.has("items") or document.has("variations"):
        listed = list(document["items"].each()) if document.has("items") else [document]
        found = _from_api(listed, archived)
    else:
        found = _from_file(document)
    segments = {key: read_segment(each, key) for key, each in document["segments"].items()}
    by_place: dict[str, dict[str, LdFlag]] = defaultdict(dict)
    for key, places in found.items():
        for place, flag in places.items():
            by_place[place][key] = flag
    answers = {place: Answers(flags, segments) for place, flags in by_place.items()}
    names = our_names(found)
    flags = [
        nameless(key, "$", names) or _imported(key, places, names, by_place, segments, answers)
        for key, places in found.items()
    ]
    remarks = [f"archived, and left out: {', '.join(archived)}"] if archived else []
    return Export(
        system=SYSTEM, environments=tuple(by_place), flags=tuple(flags), remarks=tuple(remarks)
    )


def _from_api(listed: list[At], archived: list[str]) -> dict[str, dict[str, LdFlag]]:
    found: dict[str, dict[str, LdFlag]] = {}
    for each in listed:
        key = each["key"].name()
        if each["archived"].truth(default=False):
            archived.append(key)
            continue
        if key in found:
            raise each["key"].wrong("a key of its own: another flag has it")
        values = tuple(one["value"] for one in each["variations"].each())
        places = dict(each["environments"].items())
        for at in places.values():
            _check_whole(at)
        found[key] = {
            place: LdFlag(key=key, at=at, values=values, about=each) for place, at in places.items()
        }
    return found


def _check_whole(at: At) -> None:
    """Refuse the short form, which leaves rules out; read as it is, it would open too much."""
    if not at.has("fallthrough"):
        raise UsageError(
            f"{at.place}: its rules are not there",
            hint="ask the API for whole flags, with summary=0",
        )


def _from_file(document: At) -> dict[str, dict[str, LdFlag]]:
    found: dict[str, dict[str, LdFlag]] = {}
    for key, at in document["flags"].items():
        values = tuple(at["variations"].each())
        found[key] = {"": LdFlag(key=key, at=at, values=values, about=at)}
    for key, at in document["flagValues"].items():
        if key in found:
            raise at.wrong("a flag of its own: `flags` has one of that key")
        always: dict[str, Any] = {"on": True, "fallthrough": {"variation": 0}}
        found[key] = {"": LdFlag(key=key, at=At(always, at.place), values=(at,), about=At({}))}
    return found


def _imported(
    key: str,
    places: Mapping[str, LdFlag],
    names: Mapping[str, str],
    by_place: Mapping[str, Mapping[str, LdFlag]],
    segments: Mapping[str, Segment],
    answers: Mapping[str, Answers],
) -> ImportedFlag:
    taken: dict[str, Taken] = {}
    for place, flag in places.items():
        losses = Losses()
        condition = _condition(flag, names, by_place[place], segments, losses)
        taken[place] = take(
            condition,
            answers[place].of(key),
            losses,
            name=names[key],
            bucketing=Bucketing.CRC32,
        )
    return _described(key, names, places, taken)


def _described(
    key: str, names: Mapping[str, str], places: Mapping[str, LdFlag], taken: Mapping[str, Taken]
) -> ImportedFlag:
    about = next(iter(places.values())).about if places else At({})
    words = [about["name"].text(""), about["description"].text("")]
    temporary = about["temporary"].truth(default=True)
    return ImportedFlag(
        theirs=key,
        name=names[key],
        type="development" if temporary else "ops",
        description=": ".join(each for each in words if each and each != key),
        places=taken,
        losses=() if places else (Loss("$", "it has no environment"),),
    )


def _condition(
    flag: LdFlag,
    names: Mapping[str, str],
    flags: Mapping[str, LdFlag],
    segments: Mapping[str, Segment],
    losses: Losses,
) -> Condition:
    strange = next((each for each in flag.values if not isinstance(each.value, bool)), None)
    if strange is not None:
        why = f"it serves {strange.value!r:.40}, and only true and false can be taken over"
        return losses(strange.place, why)
    return flag_condition(flag, names, flags, segments, losses)
