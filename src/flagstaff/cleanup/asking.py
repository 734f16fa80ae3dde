"""Does the name of a function, or of an object, say that it is about flags?

Projects wrap whatever asks for flags in functions of their own, so most of what is asked is
recognised by how it reads, once the flag's own name is among the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_ABOUT = frozenset(
    {"feature", "features", "flag", "flags", "switch", "switches", "toggle", "toggles"}
    | {"experiment", "experiments", "sample", "waffle", "flipper", "unleash"}
    | {"rollout", "rollouts"}
)
_STATES = frozenset({"enabled", "active", "on", "activated", "disabled", "inactive", "off"})
_OFF = frozenset({"disabled", "inactive", "off"})
_VERBS = frozenset({"is", "has", "have", "can", "should", "use", "check", "feature", "flag", "get"})
_TRUTH_VERBS = frozenset({"is", "has", "have", "can", "should", "use", "uses"})
_MAKING = frozenset(
    {"set", "create", "enable", "disable", "delete", "remove", "override", "register", "add"}
    | {"make", "factory", "new", "patch", "mock", "update", "save", "log", "define", "declare"}
    | {"test", "with", "turn", "activate", "deactivate", "assert", "required", "raise"}
    | {"refresh", "clear", "init", "list", "all", "names", "record", "track"}
)
_SETTING = frozenset({"set", "toggle", "create", "factory", "update", "override"})
_FORGETTING = frozenset({"delete", "clear", "reset", "remove", "unset", "forget"})
_ENABLING = frozenset({"enable", "activate"})
_GATED = _ABOUT | {"flagged"}
_PASSING = frozenset(
    {"required", "requires", "require", "needs", "need", "only", "when", "if", "with"}
    | {"is", "has", "enabled", "active", "check", "gate", "gated", "waffle"}
)
_GUARDED = frozenset({"view", "views", "endpoint", "route", "page", "method"})
_ENABLED = frozenset({"is", "enabled", "disabled"})
_SOMEBODY = frozenset({"user", "account", "profile", "member", "customer", "tenant", "self"})
_TABLES = frozenset({"features", "flags", "switches", "toggles", "experiments", "rollouts"})
_ENTRIES = frozenset({"defaults", "names", "keys", "choices", "descriptions", "list", "table"})
_READING = frozenset({"get", "fetch", "check", "read", "lookup", "env"})
_KEPT = frozenset({"config", "setting", "settings", "conf", "bool", "boolean", "env"})
_SINGLE = frozenset({"sample", "switch", "experiment", "rollout"})
_HOLDERS = (_ABOUT - _SINGLE) | {"config", "settings", "conf", "environ", "env"}
_VALUES = frozenset({"value", "values", "variant", "variation", "treatment", "payload", "number"})
_TRUTHS = frozenset({"bool", "boolean"})
_FILLING = frozenset({"a", "for", "in", "of", "the", "to", "user", "request", "not", "allow"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def parts(name: str) -> frozenset[str]:
    """Return the words of a name.

    >>> sorted(parts("is_featureEnabled"))
    ['enabled', 'feature', 'is']
    """
    return frozenset(word.lower() for word in _WORDS.findall(name))


def subject(name: str) -> frozenset[str]:
    """Return the words of a name that tell which flag it is about.

    >>> sorted(subject("is_new_menu_enabled"))
    ['menu', 'new']
    """
    return parts(name) - (_ABOUT | _STATES | _VERBS | _TRUTH_VERBS | _FILLING)


def asks(function: str, owner: str = "") -> bool | None:
    """Tell whether a function asks if a flag is on (True) or off (False); None if for neither.

    `owner` is the object it is a method of: `nav.is_active` asks for something else.
    """
    words, whose = parts(function), parts(owner)
    if not words or words & _MAKING or function[:1].isupper():
        return None
    if words & _VALUES and not words & _TRUTHS:
        return None
    if words & _STATES and ((words | whose) & _ABOUT or words <= _ENABLED):
        return not words & _OFF
    first = _WORDS.findall(function)[0].lower()
    if words & _ABOUT and (first in _VERBS or len(words) == 1):
        return True
    if first in _READING and words & _KEPT and not whose & _SOMEBODY:
        return True
    return None


def answers_truth(function: str) -> bool:
    """Tell whether a name, such as `is_new` or `menu_enabled`, is one of a truth for certain."""
    words = parts(function)
    first = next(iter(_WORDS.findall(function)), "").lower()
    return first in _TRUTH_VERBS or bool(words & (_STATES | _TRUTHS))


def is_question(method: str) -> bool:
    """Tell whether a method of a flag's own object asks for its state."""
    words = parts(method)
    return not words & _MAKING and bool(words & _STATES or words >= {"check", "value"})


def holds_flags(name: str) -> bool:
    """Tell whether an object, such as `settings` or `app.config`, holds what flags are set to."""
    return bool(parts(name) & _HOLDERS)


def keeps_flags(name: str) -> bool:
    """Tell whether a name, such as `set_config_values` or `FEATURES`, is one of what is set."""
    return bool(parts(name) & (_ABOUT | _KEPT | {"environ"}))


def lists_flags(name: str) -> bool:
    """Tell whether a list or a table is one of flags, such as `FEATURES`."""
    return bool(parts(name) & _ABOUT)


def is_table(name: str) -> bool:
    """Tell whether a list or a table is one of flags for certain, such as `FEATURES`.

    `SAMPLE_MENUS` and `SWITCH_ARGS` have such a word in their names too, and are none.
    """
    words = parts(name)
    return bool(words & _TABLES or (words & {"feature", "flag", "toggle"} and words & _ENTRIES))


def names_flag(setting: str) -> bool:
    """Tell whether a setting, such as `FF_MENU` or `FEATURE_MENU`, is one of a flag by its name.

    One that is not may be read by the framework, like `SESSION_COOKIE_SECURE`.
    """
    words = parts(setting)
    return bool(words & {"ff", "feature", "flag", "toggle"}) and "waffle" not in words


def makes_flag(factory: str) -> bool:
    """Tell whether a class, such as `Feature` or `WaffleFlag`, makes objects of one flag each."""
    last = _WORDS.findall(factory)[-1:]
    return factory[:1].isupper() and bool({word.lower() for word in last} & (_ABOUT - {"sample"}))


def sets_flag(names: Sequence[str]) -> bool:
    """Tell whether `a.b.c` of a test gives a flag a state, such as `FeatureFlagFactory`."""
    words = parts(names[-1]) if names else frozenset()
    if "assert" in words or not words & (_SETTING | _ENABLING):
        return False
    return any(parts(name) & (_ABOUT | _KEPT | {"override"}) for name in names)


def forgets_flag(names: Sequence[str]) -> bool:
    """Tell whether `a.b.c` of a test forgets what a flag was given, such as `delete_config`."""
    words = parts(names[-1]) if names else frozenset()
    return bool(words & _FORGETTING) and any(parts(name) & (_ABOUT | _KEPT) for name in names)


def enables(function: str) -> bool:
    """Tell whether a function of a test turns a flag on without being told to."""
    return bool(parts(function) & _ENABLING)


def lets_pass(decorator: str) -> bool:
    """Tell whether a decorator, such as `feature_required`, only runs what it stands at with it on.

    One word that is not understood, as in `hide_if_feature`, may turn the meaning round.
    """
    words = parts(decorator)
    passing = bool(words & (_PASSING | {"flagged"}))
    return passing and bool(words & _GATED) and words <= _PASSING | _GATED | _GUARDED
