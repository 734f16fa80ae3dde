"""In which environments is a command to act?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

ENVIRONMENTS = ("dev", "staging", "staging-ref", "ops", "pre", "production")
"""In the order in which a command for several of them is executed."""

PRODUCTION = "production"

Callback = Callable[..., Any]


def with_environments(callback: Callback) -> Callback:
    """Add one option per environment; the callback gets `environments`, in order."""

    @functools.wraps(callback)
    def chosen(**options: Any) -> Any:
        named = tuple(name for name in ENVIRONMENTS if options.pop(_variable(name)))
        return callback(environments=named or (PRODUCTION,), **options)

    for name in reversed(ENVIRONMENTS):
        note = "In production; also when no environment is named." if name == PRODUCTION else ""
        add = click.option(f"--{name}", _variable(name), is_flag=True, help=note or f"In {name}.")
        chosen = add(chosen)
    return chosen


def with_any_environments(callback: Callback) -> Callback:
    """Add `--all` to the options for environments; no `environments` are all of them."""

    @functools.wraps(callback)
    def chosen(*, everywhere: bool, environments: tuple[str, ...], **options: Any) -> Any:
        return callback(environments=() if everywhere else environments, **options)

    option = click.option("--all", "everywhere", is_flag=True, help="In every environment.")
    return option(with_environments(chosen))


def _variable(name: str) -> str:
    return "in_" + name.replace("-", "_")
