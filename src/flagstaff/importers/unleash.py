"""What does an export of Unleash say, in any of its three forms?

`/api/client/features` is what applications get, of one environment. The exports of the admin API
keep strategies beside the features: one environment in the newer one, all of them in the older.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from flagstaff.flags.bucketing import Bucketing
from flagstaff.importers.condition import NOBODY, Condition, Share, any_of, parts_of
from flagstaff.importers.model import Export, ImportedFlag, Taken
from flagstaff.importers.names import our_names
from flagstaff.importers.reading import At
from flagstaff.importers.taking import Losses, nameless, take
from flagstaff.importers.unleash_answer import Answers, Feature
from flagstaff.importers.unleash_strategies import FULL, Segments, strategy_condition

SYSTEM = "unleash"
_TYPES = {
    "release": "development",
    "experiment": "experiment",
    "operational": "ops",
    "kill-switch": "ops",
    "permission": "ops",
}


@dataclass(kw_only=True)
class _Place:
    """A feature in one environment, as the file has it."""

    enabled: bool
    variants: list[At] = field(default_factory=list)
    strategies: list[At] = field(default_factory=list)


@dataclass(kw_only=True)
class _Feature:
    """A feature, as the file has it."""

    at: At
    places: dict[str, _Place] = field(default_factory=dict)
    parents: list[At] = field(default_factory=list)


def looks_like_unleash(document: At) -> bool:
    """Return whether this is an export of Unleash."""
    found = document.value
    if not isinstance(found, dict) or not isinstance(found.get("features"), list):
        return False
    return "featureStrategies" in found or "version" in found or "query" in found


def read_unleash(document: At) -> Export:
    """Return what an export says.

    Raises:
        UsageError: it is malformed; the place is named.
    """
    archived: list[str] = []
    found = _features(document, archived)
    segments = _segments(document)
    environments = tuple(dict.fromkeys(name for each in found.values() for name in each.places))
    names = our_names(found)
    answers = {
        name: Answers(
            {
                theirs: Feature(
                    name=theirs,
                    enabled=each.places[name].enabled,
                    strategies=tuple(each.places[name].strategies),
                    parents=tuple(each.parents),
                    segments=segments,
                )
                for theirs, each in found.items()
                if name in each.places
            }
        )
        for name in environments
    }
    flags = [
        nameless(theirs, each.at.place, names) or _flag(each, names, segments, answers)
        for theirs, each in found.items()
    ]
    remarks = [f"archived, and left out: {', '.join(archived)}"] if archived else []
    return Export(
        system=SYSTEM, environments=environments, flags=tuple(flags), remarks=tuple(remarks)
    )


def _features(document: At, archived: list[str]) -> dict[str, _Feature]:
    found: dict[str, _Feature] = {}
    for each in document["features"].each():
        name = each["name"].name()
        if each["archived"].truth(default=False) or each.has("archivedAt"):
            archived.append(name)
        elif name in found:
            raise each["name"].wrong("a name of its own: another feature has it")
        else:
            found[name] = _Feature(at=each)
    if document.has("featureStrategies"):
        _fill_from_tables(document, found)
    else:
        for feature in found.values():
            _fill_from_feature(feature)
    return found


def _fill_from_feature(feature: _Feature) -> None:
    at = feature.at
    feature.places[""] = _Place(
        enabled=at["enabled"].truth(default=False),
        variants=list(at["variants"].each()),
        strategies=list(at["strategies"].each()),
    )
    feature.parents = list(at["dependencies"].each())


def _fill_from_tables(document: At, found: Mapping[str, _Feature]) -> None:
    only = ""
    for each in document["featureEnvironments"].each():
        only = each["environment"].text("") or only
        feature = found.get(each["featureName"].text(each["name"].text("")))
        if feature is not None:
            feature.places[each["environment"].text("")] = _Place(
                enabled=each["enabled"].truth(default=False), variants=list(each["variants"].each())
            )
    for each in document["featureStrategies"].each():
        feature = found.get(each["featureName"].name())
        # The newer export is of one environment, and does not repeat it here.
        place = each["environment"].text(only)
        if feature is not None:
            feature.places.setdefault(place, _Place(enabled=False)).strategies.append(each)
    for each in document["dependencies"].each():
        feature = found.get(each["feature"].name())
        if feature is not None:
            feature.parents = list(each["dependencies"].each())


def _segments(document: At) -> Segments:
    constraints = {
        each["id"].whole(): list(each["constraints"].each())
        for each in document["segments"].each()
        if each.has("constraints")
    }
    linked: dict[str, list[int]] = defaultdict(list)
    for each in document["featureStrategySegments"].each():
        linked[each["featureStrategyId"].text()].append(each["segmentId"].whole())
    return Segments(constraints=constraints, linked=linked)


def _flag(
    feature: _Feature,
    names: Mapping[str, str],
    segments: Segments,
    answers: Mapping[str, Answers],
) -> ImportedFlag:
    at, theirs = feature.at, feature.at["name"].name()
    name = names[theirs]
    shared = Losses()
    prerequisites = _prerequisites(feature, names, shared)
    conditions: dict[str, tuple[Condition, Losses]] = {}
    for place, found in feature.places.items():
        losses = Losses()
        for each in shared.listed:
            losses(each.place, each.why)
        condition = _condition(found, theirs, segments, losses)
        conditions[place] = (NOBODY if shared.listed else condition, losses)
    bucketing = _bucketing(name, [condition for condition, _ in conditions.values()])
    places: dict[str, Taken] = {
        place: take(
            condition,
            answers[place].of(theirs),
            losses,
            name=name,
            bucketing=bucketing,
        )
        for place, (condition, losses) in conditions.items()
    }
    project = at["project"].text("")
    return ImportedFlag(
        theirs=theirs,
        name=name,
        type=_TYPES.get(at["type"].text(""), "development"),
        description=at["description"].text(""),
        group="" if project == "default" else project,
        bucketing=bucketing,
        prerequisites=prerequisites,
        places=places,
    )


def _condition(found: _Place, theirs: str, segments: Segments, losses: Losses) -> Condition:
    active = [each for each in found.strategies if not each["disabled"].truth(default=False)]
    opening = [strategy_condition(each, theirs, segments, losses) for each in active]
    variants = [*found.variants, *(one for each in active for one in each["variants"].each())]
    if not found.enabled:
        return NOBODY
    if variants:
        losses(variants[0].place, "variants are not taken over, only whether the flag is on")
    if active:
        return any_of(opening)
    if not found.strategies:
        return any_of([strategy_condition(At({"name": "default"}), theirs, segments, losses)])
    return losses(
        found.strategies[0].place, "all strategies are disabled, which Unleash may read both ways"
    )


def _prerequisites(
    feature: _Feature, names: Mapping[str, str], losses: Losses
) -> tuple[tuple[str, bool], ...]:
    found: dict[str, bool] = {}
    for each in feature.parents:
        parent = each["feature"].name()
        if any(True for _ in each["variants"].each()):
            losses(each["variants"].place, "a parent's variant cannot be asked for")
        elif not names.get(parent):
            losses(each["feature"].place, f"the parent {parent} is not in the export")
        else:
            found[names[parent]] = each["enabled"].truth(default=True)
    return tuple(sorted(found.items()))


def _bucketing(name: str, conditions: list[Condition]) -> Bucketing:
    """Return murmur3 where it keeps somebody's answer."""
    shares = [part for each in conditions for part in parts_of(each) if isinstance(part, Share)]
    same = any(
        each.bucketing is Bucketing.MURMUR3 and each.group == name and each.percentage < FULL
        for each in shares
    )
    return Bucketing.MURMUR3 if same else Bucketing.CRC32
