"""For whom is a flag to be changed?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from flagstaff.errors import UsageError
from flagstaff.flags.actor import check_actor_id

_KINDS = {
    "project": "Project",
    "group": "Group",
    "namespace": "Namespace",
    "user": "User",
    "repository": "Repository",
}
_METAVARS = {"user": "NAME[,…]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """The actors and groups that a command names; both empty means everyone."""

    actors: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the command is about anyone in particular."""
        return bool(self.actors or self.groups)


def with_scopes(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name actors and groups; the callback gets `scopes`."""

    @functools.wraps(callback)
    def scoped(**options: Any) -> Any:
        actors = [
            _actor(option, name)
            for option in _KINDS
            for name in _split(f"--{option}", options.pop(option))
        ]
        groups = _split("--feature-group", options.pop("feature_group"))
        scopes = Scopes(actors=tuple(dict.fromkeys(actors)), groups=tuple(dict.fromkeys(groups)))
        return callback(scopes=scopes, **options)

    add = click.option(
        "--feature-group",
        multiple=True,
        metavar="NAME[,…]",
        help="For groups of actors that the application has registered.",
    )
    scoped = add(scoped)
    for option, kind in reversed(_KINDS.items()):
        add = click.option(
            f"--{option}",
            multiple=True,
            metavar=_METAVARS.get(option, "PATH|ID[,…]"),
            help=f"For single actors such as `{kind}:7`; a path or name is kept as it is.",
        )
        scoped = add(scoped)
    return scoped


def _split(option: str, values: tuple[str, ...]) -> list[str]:
    names = [name.strip().lstrip("@") for value in values for name in value.split(",")]
    if "" in names:
        raise UsageError(f"`{option}` has an empty name", hint=f"write `{option}=one,two`")
    return names


def _actor(option: str, name: str) -> str:
    kind = _KINDS[option]
    try:
        return check_actor_id(name if name.startswith(f"{kind}:") else f"{kind}:{name}")
    except UsageError as wrong:
        raise UsageError(f"`--{option}`: {wrong.message}", hint=wrong.hint) from wrong
