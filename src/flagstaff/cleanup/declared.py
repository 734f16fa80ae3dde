"""What does a project say of how it asks for flags, under `[tool.flagstaff.references]`?"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flagstaff.cleanup.patterns import DEFAULT, CallPattern, Conventions, Wrapper
from flagstaff.cleanup.tree import Tree
from flagstaff.errors import UsageError

PLACE = "pyproject.toml: [tool.flagstaff.references]"
_FIELDS = {"function": str, "position": int, "keywords": list, "negated": bool}


def conventions_of(tree: Tree, base: Conventions = DEFAULT) -> Conventions:
    """Return the conventions of a project: those of its `pyproject.toml` before the usual ones.

    Raises:
        UsageError: the section has a key, or a value, that says nothing.
    """
    try:
        project = tomllib.loads((tree.read("pyproject.toml") or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return base  # somebody else's file, and somebody else's mistake
    section: Any = project
    for part in ("tool", "flagstaff", "references"):
        section = section.get(part, {}) if isinstance(section, dict) else {}
    if not isinstance(section, dict):
        raise _wrong("is no table", "write the keys calls, handles, overrides or wrappers in it")
    changes = {}
    for key, value in section.items():
        read = _READERS.get(key)
        if read is None:
            raise _wrong(f"has an unknown key {key!r}", f"the keys are {', '.join(_READERS)}")
        changes[key] = tuple(read(key, value)) + getattr(base, key)
    return dataclasses.replace(base, **changes)


def _names(key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(f"has no list of names in {key!r}", f'write {key} = ["a_name"]')
    yield from value


def _calls(key: str, value: Any) -> Iterator[CallPattern]:
    for entry in value if isinstance(value, list) else [None]:
        given = {"function": entry} if isinstance(entry, str) else entry
        if not isinstance(given, dict) or "function" not in given or not _fits(given):
            hint = 'write "a_function" or {function = "a_function", position = 1, negated = true}'
            raise _wrong(f"has an entry in {key!r} that names no function", hint)
        keywords = {"keywords": tuple(given["keywords"])} if "keywords" in given else {}
        yield CallPattern(**{**given, **keywords})


def _fits(given: Mapping[str, Any]) -> bool:
    return all(key in _FIELDS and type(value) is _FIELDS[key] for key, value in given.items())


def _wrappers(key: str, value: Any) -> Iterator[Wrapper]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        hint = 'write is_fast = "fast_path", or is_slow = "!fast_path" for the opposite'
        raise _wrong(f"has no table of functions and flags in {key!r}", hint)
    for function, flag in value.items():
        yield Wrapper(function=function, flag=flag.removeprefix("!"), negated=flag.startswith("!"))


_READERS: dict[str, Callable[[str, Any], Iterator[Any]]] = {
    "calls": _calls,
    "handles": _names,
    "overrides": _names,
    "wrappers": _wrappers,
}


def _wrong(what: str, hint: str) -> UsageError:
    return UsageError(f"{PLACE} {what}", hint=hint)
