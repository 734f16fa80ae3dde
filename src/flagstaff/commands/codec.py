"""How do commands, plans and rollouts become JSON, and come back as the same values?

Members of a union carry their class name under `kind`. Decoding is strict: an unknown kind or a
malformed value is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast, get_args, get_origin

from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from flagstaff.commands.misread import Misread, by_kind, wrong_in
from flagstaff.commands.model import Command
from flagstaff.errors import UsageError
from flagstaff.flags.change import GateChange
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import Effect, External
from flagstaff.rollouts.guard import Guard, Judgement, Measurement
from flagstaff.rollouts.plan import Action
from flagstaff.rollouts.query import Place, Query
from flagstaff.rollouts.rollout import Watch

T = TypeVar("T")

RETIRED = {"max_ratio", "min_jobs"}
"""Fields of a guard that no longer mean anything."""

_converter = make_converter(forbid_extra_keys=True)


def _exactly(kind: type, words: str) -> Callable[[object, type], object]:
    """Return a hook that takes nothing but `kind`, where cattrs would convert what it is given.

    It is asked for enumerations of such values too, as these are subclasses.
    """

    def strict(value: object, wanted: type) -> object:
        if type(value) not in {kind, wanted}:
            raise TypeError(f"expected {words}, not {_shown(value)}")
        return wanted(value)

    return strict


def _number(value: object, _: object) -> float:
    if type(value) not in {int, float}:
        raise TypeError(f"expected a number, not {_shown(value)}")
    return float(cast("float", value))


def _seconds(value: object, _: object) -> timedelta:
    return timedelta(seconds=_number(value, None))


def _is_series(kind: object) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _series(value: object, kind: object) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list, not {_shown(value)}")
    member = get_args(kind)[0]
    return tuple(_converter.structure(each, member) for each in value)


def _shown(value: object) -> str:
    return repr(value)[:60]


def _decimal(value: object, _: object) -> Decimal:
    if type(value) in {int, float} and value == int(cast("float", value)):
        return Decimal(int(cast("float", value)))
    if not isinstance(value, str):
        raise Misread(
            f"expected a whole number, or one in quotes, not {_shown(value)}",
            hint='write it in quotes, such as "12.5"',
        )
    try:
        return Decimal(value)
    except InvalidOperation as exc:
        raise ValueError(f"{value!r} is not a number") from exc


def _aware(value: object, _: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError(f"expected a time in quotes, not {_shown(value)}")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment


def _without_retired(value: Any) -> Any:
    """Return a guard as it is written now; rollouts begun before have fields of the old rule."""
    if not isinstance(value, dict):
        return value
    return {key: each for key, each in value.items() if key not in RETIRED}


def _json_object(value: object, _: object) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError(f"expected a JSON object, not {str(value)[:60]!r}")
    return value


_converter.register_structure_hook(bool, _exactly(bool, "true or false"))
_converter.register_structure_hook(int, _exactly(int, "a whole number"))
_converter.register_structure_hook(str, _exactly(str, "a text"))
_converter.register_structure_hook(float, _number)
_converter.register_structure_hook_func(_is_series, _series)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, object], _json_object)
_converter.register_unstructure_hook(Decimal, str)
_converter.register_structure_hook(Decimal, _decimal)
_converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
_converter.register_structure_hook(timedelta, _seconds)
_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_structure_hook(datetime, _aware)
_converter.register_unstructure_hook(Gates, Gates.to_json)
_converter.register_structure_hook(Gates, lambda value, _: Gates.from_json(value))
_structure_guard = make_dict_structure_fn(Guard, _converter, _cattrs_forbid_extra_keys=True)
_converter.register_structure_hook_func(
    lambda kind: kind is Guard,
    lambda value, _: _structure_guard(_without_retired(value), Guard),
)
# Servers from before durations were watched or compared, or actors counted, go on reading what does
# none of it.
for _kind, _later in (
    (Query, ("slower_than",)),
    (Guard, ("slower_than", "unit", "ranked")),
    (Measurement, ("on_crowd", "off_crowd", "on_durations", "off_durations")),
    (Judgement, ("longer",)),
    (Place, ("logs",)),
    (Watch, ("durations",)),
):
    _converter.register_unstructure_hook(
        _kind,
        make_dict_unstructure_fn(
            _kind,
            _converter,
            **dict.fromkeys(_later, override(omit_if_default=True)),  # type: ignore[arg-type]
        ),
    )
for _union in (GateChange, Action, Effect, External, Command):
    configure_tagged_union(_union, _converter, tag_name="kind")
    _converter.register_structure_hook(
        _union, by_kind(_union, _converter.get_structure_hook(_union))
    )


def encode(value: object, as_type: object = None) -> Any:
    """Return `value` as JSON-ready data; name the union in `as_type` to have its tag written."""
    return _converter.unstructure(value, unstructure_as=as_type)


def decode(data: object, as_type: type[T]) -> T:
    """Return the value that `encode` turned into `data`.

    Raises:
        UsageError: the data is not what `encode` writes for that type.
    """
    try:
        return _converter.structure(data, as_type)
    except (
        BaseValidationError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
    ) as exc:
        wrong = wrong_in(exc, as_type)
        raise UsageError(f"this is no {_name(as_type)}: {wrong.what}", hint=wrong.hint) from exc


def encode_command(command: Command) -> Mapping[str, Any]:
    """Return a command as JSON-ready data, with its kind."""
    return cast("Mapping[str, Any]", encode(command, Command))


def decode_command(data: object) -> Command:
    """Return the command in `data`.

    Raises:
        UsageError: there is no such command, or its fields are wrong.
    """
    return decode(data, cast("type[Command]", Command))


def _name(as_type: object) -> str:
    if as_type is cast("object", Command):
        return "command"
    return getattr(as_type, "__name__", "value")
