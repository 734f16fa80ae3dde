"""With which words is a policy overruled?"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import Any, Final

import click

from flagstaff.errors import UsageError

IGNORING: Final = {
    "ignore-random-deprecation-check": "Permit a share of checks where policy does not.",
    "ignore-production-check": "Go on although production is not healthy.",
    "ignore-feature-flag-consistency-check": "Go on although staging and production disagree.",
}
"""The overrides that are options of their own, as in GitLab's ChatOps."""

OVERRIDES: Final = {
    **IGNORING,
    "production-channel": "Change production from another channel.",
    "environment-channel": "Change an environment from another channel.",
    "change-lock": "Change what is frozen or locked.",
    "not-deployed": "Open a flag where its code does not run yet.",
    "min-dwell": "Take the next step early.",
    "max-step": "Take a larger step.",
    "actorless": "Give a share of actors to a flag that is asked without one.",
    "four-eyes": "Approve a rollout of one's own.",
}
"""Every override there is, and what it permits."""


def option_of(override: str) -> str:
    """Return the words that name the override on a command."""
    return f"--{override}" if override in IGNORING else f"--override {override}"


def check_overrides(names: tuple[str, ...]) -> None:
    """Refuse names that are no override.

    Raises:
        UsageError: with the likely name, or with all of them.
    """
    for name in names:
        if name not in OVERRIDES:
            near = difflib.get_close_matches(name, OVERRIDES, n=1)
            raise UsageError(
                f"there is no override {name[:60]!r}",
                hint=f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(OVERRIDES)}",
            )


def with_overrides(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that overrule a policy; the callback gets their names as `overrides`."""

    @functools.wraps(callback)
    def overruled(*, override: tuple[str, ...], **options: Any) -> Any:
        named = [name for name in IGNORING if options.pop(name.replace("-", "_"), False)]
        check_overrides(override)
        return callback(overrides=tuple(dict.fromkeys((*named, *override))), **options)

    with_options: Callable[..., Any] = overruled
    for name, note in reversed(IGNORING.items()):
        with_options = click.option(f"--{name}", is_flag=True, help=note)(with_options)
    return _option(with_options)


def with_named_overrides(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--override` alone; the callback gets the names as `overrides`."""

    @functools.wraps(callback)
    def overruled(*, override: tuple[str, ...], **options: Any) -> Any:
        check_overrides(override)
        return callback(overrides=tuple(dict.fromkeys(override)), **options)

    return _option(overruled)


def _option(callback: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--override",
        multiple=True,
        metavar="NAME",
        help="Overrule a policy by its name; needs --reason.",
    )(callback)
