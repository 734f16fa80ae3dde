"""How does a project ask for a flag, and where does it keep what belongs to it?"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPattern:
    """A call that asks for a flag: `<anything>.<function>(…)` or `<function>(…)`.

    `position` counts the positional arguments from 0; `keywords` are the other ways to give the
    name; `negated` calls answer whether the flag is off.
    """

    function: str
    position: int = 0
    keywords: tuple[str, ...] = ("name", "flag", "flag_name", "flag_key", "key")
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """A function that asks for one flag whatever it is given, or for its opposite."""

    function: str
    flag: str
    negated: bool = False


CALLS = (
    CallPattern(function="is_enabled"),
    CallPattern(function="is_disabled", negated=True),
    CallPattern(function="enabled"),
    CallPattern(function="get_boolean_value"),
    CallPattern(function="get_boolean_value_async"),
    CallPattern(function="flag_is_active", position=1),
    CallPattern(function="switch_is_active"),
    CallPattern(function="sample_is_active"),
    CallPattern(function="is_feature_enabled"),
    CallPattern(function="flag_enabled"),
    CallPattern(function="flag_disabled", negated=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """What this project does: how it asks, how its tests pin a flag, where its files are.

    `details` answer with an object whose `value` is the flag's. `handles` make an object bound to
    one flag, which is asked by calling it or by any of `calls` without a name. `overrides` pin a
    flag in tests, as a context manager or a decorator. `wrappers` are functions that ask for one
    flag without naming it.
    """

    calls: tuple[CallPattern, ...] = CALLS
    details: tuple[str, ...] = ("evaluate", "get_boolean_details", "get_boolean_details_async")
    handles: tuple[str, ...] = ("flag",)
    overrides: tuple[str, ...] = ("override_flag", "override_switch", "override_sample")
    wrappers: tuple[Wrapper, ...] = ()
    definition_folders: tuple[str, ...] = ("config/feature_flags", "ee/config/feature_flags")
    settings_files: tuple[str, ...] = ("flagstaff.yml", "flagstaff.yaml")
    settings_lists: tuple[str, ...] = ("renames", "guards")

    def pattern(self, function: str) -> CallPattern | None:
        """Return the pattern for calls of `function`, if there is one."""
        return next((call for call in self.calls if call.function == function), None)

    def wrapper(self, function: str, flag: str) -> Wrapper | None:
        """Return what is declared of `function`, if that is that it asks for `flag`."""
        declared = (each for each in self.wrappers if each.flag == flag)
        return next((each for each in declared if each.function == function), None)

    def wrapping(self, flag: str) -> frozenset[str]:
        """Return the names of the functions that are declared to ask for `flag`."""
        return frozenset(each.function for each in self.wrappers if each.flag == flag)

    def is_definition(self, path: str, flag: str) -> bool:
        """Tell whether `path` is the file that defines `flag`."""
        folder, _, name = path.rpartition("/")
        inside = any(folder == f or folder.startswith(f"{f}/") for f in self.definition_folders)
        return inside and name in {f"{flag}.yml", f"{flag}.yaml"}


DEFAULT = Conventions()


def word(name: str, *, dotted: bool = False) -> re.Pattern[str]:
    """Return a pattern for `name` as a whole word, not a part of a longer or a dashed one.

    With `dotted`, `a.name` and `name.b` are longer words too, as in the names of jobs.
    """
    before, after = (r"(?<!\w\.)", r"(?!\.\w)") if dotted else ("", "")
    return re.compile(rf"(?<![\w-]){before}{re.escape(name)}(?![\w-]){after}")


def camel(name: str) -> str:
    """Return a name as scripts in pages write it.

    >>> camel("new_navigation")
    'newNavigation'
    """
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def spelled(name: str) -> re.Pattern[str]:
    """Return a pattern for `name` as a whole word, as it is or in camelCase."""
    return re.compile(rf"{word(name).pattern}|{word(camel(name)).pattern}")
