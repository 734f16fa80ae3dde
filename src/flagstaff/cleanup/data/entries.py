"""Which entries of YAML and JSON are a flag's for certain, and what speaks against the others?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from flagstaff.cleanup.asking import parts
from flagstaff.cleanup.data.cuts import Place
from flagstaff.cleanup.data.nodes import Entry, Kind, Node
from flagstaff.cleanup.patterns import camel

COMMON_WORD = "is one word, and may be something else than the flag"
OTHER_THINGS = "has more than a state, and may be text for people"
EXPECTED = "is data of a test, which may expect it"
REFERRED_TO = "is a row that others may refer to"
VARIABLE = "reads as the flag's environment variable, and may be another's"

_SURE = frozenset({"flags", "toggles"})
_LISTS = frozenset({"features", "flags", "toggles", "switches", "experiments"})
_ONE = frozenset({"feature", "flag", "toggle"})
_OF_ONE = frozenset({"values", "defaults", "names", "keys", "list", "overrides", "states"})
_ENVIRONMENTS = frozenset(
    {"production", "prod", "staging", "canary", "development", "dev", "test", "testing", "qa"}
    | {"local", "preprod", "review", "demo", "default", "defaults", "common", "shared", "all"}
)
_VARIABLES = frozenset(
    {"env", "environment", "envvars", "extraenv", "extraenvvars", "environmentvariables"}
    | {"variables", "configvars", "data", "build_args", "args"}
)
_STATES = frozenset(
    {"enabled", "disabled", "active", "on", "off", "state", "status", "default", "defaultvalue"}
    | {"defaultvariant", "variants", "strategies", "percentage", "percent", "rollout", "everyone"}
    | {"defaultenabled", "enabledbydefault", "value", "targeting"}
)
_WORDS_OF_STATE = frozenset(
    {"true", "false", "on", "off", "yes", "no", "enabled", "disabled", "active", "inactive"}
    | {"1", "0", "", "null", "~"}
)
_NAMING = frozenset({"name", "key", "flag", "id", "slug", "feature", "featurekey", "flagkey"})
_MODELS = frozenset({"flag", "switch", "sample"})
_ALONE = frozenset({"waffle", "gargoyle"})
"""Applications of which no other model refers to the flags."""

_PREFIXES = "FEATURE_FLAG|FEATURE|FLAG|FF|ENABLE|USE"


class Table(Enum):
    """What a collection is: a table of flags by its name, one of variables, or anything."""

    NONE = "anything"
    LIKELY = "a table of features"
    SURE = "a table of flags"
    VARIABLES = "environment variables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that names the flag; without a `doubt` it is the flag's, and goes.

    A `variable` goes only if nothing in the code names it.
    """

    place: Place
    doubt: str = ""
    variable: bool = False


def flag_entries(path: str, documents: tuple[Node, ...], flag: str) -> tuple[Found, ...]:
    """Return the entries of a file that name the flag where flags, or variables, are listed."""
    search = _Search(flag, is_of_a_test(path))
    name = path.rpartition("/")[2].partition(".")[0]
    root = search.table(name, Table.NONE)
    found = [each for document in documents for each in search.within(document, None, root)]
    return tuple(sorted(found, key=lambda each: each.place.entry.start))


def is_of_a_test(path: str) -> bool:
    """Tell whether tests read a file."""
    *folders, name = path.lower().split("/")
    words = {"test", "tests", "testing", "spec", "specs", "__tests__", "fixtures", "cassettes"}
    return bool(words & {*folders}) or bool(words & parts(name))


def variables_of(flag: str) -> re.Pattern[str] | None:
    """Return what an environment variable for the flag would be called, if that is no common word.

    >>> bool(variables_of("new_menu").fullmatch("FEATURE_NEW_MENU"))
    True
    """
    name = variable_of(flag)
    if not name:
        return None
    return re.compile(rf"(?<![\w-])(?:(?:{_PREFIXES})_)?{re.escape(name)}(?:_ENABLED)?(?![\w-])")


def variable_of(flag: str) -> str:
    """Return the flag's name as one of a variable, empty where that is a common word.

    >>> variable_of("newMenu")
    'NEW_MENU'
    """
    name = re.sub(r"\W", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", flag)).upper()
    return name if _is_long(flag) else ""


class _Search:
    def __init__(self, flag: str, in_test: bool) -> None:  # noqa: FBT001
        self._flag = flag
        self._names = {flag, camel(flag)}
        self._in_test = in_test
        self._variables = variables_of(flag)

    def table(self, name: str, around: Table) -> Table:
        """Return what the collection under a key is."""
        words = parts(name)
        if words & _ALONE and words & _MODELS:
            return Table.SURE
        if words & _LISTS or (words & _ONE and words & _OF_ONE):
            sure = words & {"toggles"} or words >= {"feature", "flags"}
            return Table.SURE if sure else Table.LIKELY
        if _plain(name) in _VARIABLES:
            return Table.VARIABLES
        within = around in {Table.SURE, Table.LIKELY} and words and words <= _ENVIRONMENTS
        return around if within else Table.NONE

    def within(self, node: Node, holder: Entry | None, table: Table) -> Iterator[Found]:
        """Yield what is found in a collection, at any depth."""
        for entry in node.entries:
            place = Place(flag=self._flag, entry=entry, collection=node, holder=holder)
            if found := self._found(place, table):
                yield found
            else:
                inner = self.table(entry.name, table) if entry.key else Table.NONE
                yield from self.within(entry.value, entry, inner)

    def _found(self, place: Place, table: Table) -> Found | None:
        match table:
            case Table.VARIABLES:
                return self._variable(place)
            case Table.SURE | Table.LIKELY:
                return self._listed(place, table) or self._row(place)
            case Table.NONE:
                return self._row(place)
        assert_never(table)

    def _listed(self, place: Place, table: Table) -> Found | None:
        """Return the entry of a table, if it is the flag's."""
        entry = place.entry
        value = entry.value
        if entry.key is not None:
            named, plain = entry.name in self._names, _is_state(value)
        elif value.kind is Kind.SCALAR:
            named, plain = value.text in self._names, True
        else:
            named, plain = self._is_named(value), _has_state(value) or _is_of_model(place)
        if not named:
            return None
        doubt = "" if plain else OTHER_THINGS
        if table is Table.LIKELY and not _is_long(self._flag):
            doubt = COMMON_WORD
        return Found(place=place, doubt=EXPECTED if self._in_test else doubt)

    def _is_named(self, value: Node) -> bool:
        """Tell whether an item of a table is `name: flag` and so on, or `flag: state` alone."""
        for entry in value.entries:
            if _plain(entry.name) in _NAMING and entry.value.text in self._names:
                return True
        return len(value.entries) == 1 and value.entries[0].name in self._names

    def _row(self, place: Place) -> Found | None:
        """Return the row of a fixture of Django that is the flag's."""
        if place.entry.key is not None:
            return None
        row = {entry.name: entry.value for entry in place.entry.value.entries}
        model, fields = row.get("model"), row.get("fields")
        if model is None or fields is None or not parts(model.text) & (_ONE | _MODELS):
            return None
        named = any(e.name == "name" and e.value.text in self._names for e in fields.entries)
        doubt = "" if parts(model.text) & _ALONE else REFERRED_TO
        return Found(place=place, doubt=doubt) if named else None

    def _variable(self, place: Place) -> Found | None:
        """Return an environment variable: `NAME: value`, `NAME=value`, or its name and value."""
        entry = place.entry
        name = entry.name or entry.value.text.partition("=")[0]
        for each in entry.value.entries if entry.key is None else ():
            name = each.value.text if each.name == "name" else name
        if name == self._flag and name.isupper() and _is_long(name):
            return Found(place=place, doubt=EXPECTED if self._in_test else "", variable=True)
        if self._variables is not None and self._variables.fullmatch(name):
            return Found(place=place, doubt=VARIABLE, variable=True)
        return None


def _is_long(flag: str) -> bool:
    """Tell whether a name is made of several words, and so hardly another's by chance."""
    return len(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", flag)) > 1


def _is_state(value: Node) -> bool:
    match value.kind:
        case Kind.SCALAR:
            plain = value.text.replace(".", "", 1).lstrip("-").isdigit()
            return plain or value.text.lower() in _WORDS_OF_STATE
        case Kind.MAPPING:
            return _has_state(value)
        case Kind.SEQUENCE | Kind.ALIAS:
            return False
    assert_never(value.kind)


def _has_state(value: Node) -> bool:
    """Tell whether a mapping is only a name, or says in which state a flag is."""
    keys = {_plain(entry.name) for entry in value.entries}
    alone = len(value.entries) == 1
    return bool(keys & _STATES) or (
        alone and (keys <= _NAMING or _is_state(value.entries[0].value))
    )


def _is_of_model(place: Place) -> bool:
    """Tell whether a row stands under its model, as in `"waffle.switch": [{"name": …}]`."""
    return place.holder is not None and bool(parts(place.holder.name) & _ALONE)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
