"""What does the payload of GrowthBook say, which its SDKs fetch? It is of one environment."""

from __future__ import annotations

from collections.abc import Mapping

from flagstaff.errors import UsageError
from flagstaff.flags.bucketing import Bucketing
from flagstaff.importers.growthbook_answer import Answers
from flagstaff.importers.growthbook_rules import feature_condition
from flagstaff.importers.model import Export, ImportedFlag
from flagstaff.importers.names import our_names
from flagstaff.importers.reading import At
from flagstaff.importers.taking import Losses, nameless, take

SYSTEM = "growthbook"


def looks_like_growthbook(document: At) -> bool:
    """Return whether this is a payload of GrowthBook."""
    found = document.value
    if not isinstance(found, dict):
        return False
    if "encryptedFeatures" in found:
        return True
    features = found.get("features")
    if not isinstance(features, dict) or "version" in found:
        return False
    return all(isinstance(each, dict) for each in features.values())


def read_growthbook(document: At) -> Export:
    """Return what a payload says.

    Raises:
        UsageError: it is malformed or encrypted; the place is named.
    """
    if document.has("encryptedFeatures"):
        raise UsageError(
            "$.encryptedFeatures: the payload is encrypted",
            hint="export it from an SDK connection without encryption",
        )
    features = dict(document["features"].items())
    groups = _groups(document["savedGroups"])
    names = our_names(features)
    answers = Answers(features, groups)
    flags = [
        nameless(key, at.place, names) or _flag(key, features, names, groups, answers)
        for key, at in features.items()
    ]
    return Export(system=SYSTEM, environments=("",), flags=tuple(flags))


def _groups(saved: At) -> dict[str, At]:
    """Return the lists of saved groups; one that is a condition is none."""
    found = {}
    for key, at in saved.items():
        listed = at["values"] if isinstance(at.value, dict) else at
        if isinstance(listed.value, list):
            found[key] = listed
    return found


def _flag(
    key: str,
    features: Mapping[str, At],
    names: Mapping[str, str],
    groups: Mapping[str, At],
    answers: Answers,
) -> ImportedFlag:
    losses = Losses()
    condition = feature_condition(key, features, names, groups, losses)
    taken = take(condition, answers.of(key), losses, name=names[key], bucketing=Bucketing.CRC32)
    return ImportedFlag(theirs=key, name=names[key], places={"": taken})
