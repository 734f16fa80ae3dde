"""Which condition does the text after `--expression` hold?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Never, cast

from flagstaff.commands.scopes import Scopes
from flagstaff.errors import UsageError
from flagstaff.flags.change import Expression
from flagstaff.flags.expression import check_expression

EXAMPLE = """--expression '{"Equal": [{"Property": ["plan"]}, "gold"]}'"""
NONE = "none"

_PLACE = "`feature set`: "


def expression_change(text: str, *, value: str | None, others: Iterable[str] = ()) -> Expression:
    """Return the change; the text is JSON, or `none` to take the condition away.

    Args:
        text: what follows `--expression`.
        value: what stands where a VALUE would; an expression takes its place.
        others: options that were named too and do not go with it.

    Raises:
        UsageError: it is no expression, or something else is asked for as well.
    """
    if value is not None:
        raise UsageError(
            f"{_PLACE}`--expression` stands in place of the value `{value[:60]}`",
            hint=f"leave out `{value[:60]}`; put the whole expression in single quotes",
        )
    for other in others:
        raise UsageError(
            f"{_PLACE}`--expression` and `{other}` are two changes",
            hint=f"leave out `{other}`, and write another command for it",
        )
    if text.strip().lower() == NONE:
        return Expression(value=None)
    found = _parsed(text)
    if not isinstance(found, dict):
        raise UsageError(
            f"{_PLACE}the expression is not one operator with its arguments",
            hint=f"write for example {EXAMPLE}, or `--expression none` to take it away",
        )
    try:
        check_expression(found)
    except UsageError as wrong:
        raise UsageError(_PLACE + wrong.message, hint=wrong.hint) from wrong
    return Expression(value=cast("dict[str, object]", found))


def not_with_an_expression(scopes: Scopes, *, of_actors: bool, of_time: bool) -> list[str]:
    """Return the options that were named and that say something else than an expression does."""
    named = {
        "--actors": of_actors,
        "--random": of_time,
        "--feature-group": bool(scopes.groups),
        "a scope": bool(scopes.actors),
    }
    return [option for option, is_there in named.items() if is_there]


def _parsed(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_key_once)
    except RecursionError:
        raise UsageError(
            f"{_PLACE}the expression is nested too deeply", hint="write a flatter one"
        ) from None
    except ValueError as exc:
        at = f" at character {exc.pos + 1}" if isinstance(exc, json.JSONDecodeError) else ""
        what = exc.msg if isinstance(exc, json.JSONDecodeError) else str(exc)
        raise UsageError(
            f"{_PLACE}the expression is not JSON: {what}{at}",
            hint=f"write for example {EXAMPLE}, or `--expression none` to take it away",
        ) from exc


def _no_constant(word: str) -> Never:
    raise ValueError(f"{word} is no number")


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found
