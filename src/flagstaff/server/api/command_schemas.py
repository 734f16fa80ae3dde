"""What does a command look like as JSON? Read off the dataclasses, so that they cannot differ."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from flagstaff.commands.codec import encode
from flagstaff.commands.model import Command
from flagstaff.flags.change import GateChange

Schema = dict[str, Any]

MARK = "x-flagstaff-schema"
"""An operation has the schema of its request's body under this key until it is put in its place."""

COMMAND = "Command"
GATE_CHANGE = "GateChange"
_UNIONS = {COMMAND: Command, GATE_CHANGE: GateChange}
_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {
        "anyOf": [
            {"type": "string", "pattern": r"^(\d{1,2}|100)(\.\d{1,3})?$"},
            {"type": "integer", "minimum": 0, "maximum": 100},
        ],
        "examples": ["25"],
    },
    Mapping[str, object]: {"type": "object"},
    dict[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
}


def command_schemas() -> dict[str, Schema]:
    """Return the schemas of all commands and changes of gates, by name."""
    found: dict[str, Schema] = {}
    for name, union in _UNIONS.items():
        kinds = get_args(union)
        for kind in kinds:
            found[kind.__name__] = _object(kind, tagged=True)
        found[name] = {
            "title": name,
            "oneOf": [_ref(kind.__name__) for kind in kinds],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {kind.__name__: _ref(kind.__name__)["$ref"] for kind in kinds},
            },
        }
    return found


def request_schema(kind: type, given: tuple[str, ...]) -> Schema:
    """Return the schema of a command without its kind and what the address gives."""
    return _object(kind, tagged=False, without=given)


def _object(kind: type, *, tagged: bool, without: tuple[str, ...] = ()) -> Schema:
    hints = get_type_hints(kind)
    members = [each for each in fields(cast("Any", kind)) if each.name not in without]
    properties = {each.name: _property(each, hints[each.name]) for each in members}
    needed = [each.name for each in members if _is_needed(each)]
    if tagged:
        properties = {"kind": {"type": "string", "const": kind.__name__}, **properties}
        needed = ["kind", *needed]
    schema: Schema = {
        "type": "object",
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "properties": properties,
        "additionalProperties": False,
    }
    return {**schema, "required": needed} if needed else schema


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _property(field: Field[Any], kind: object) -> Schema:
    schema = _schema(kind)
    if field.default is not MISSING:
        schema = {**schema, "default": encode(field.default)}
    return schema


def _schema(kind: object) -> Schema:
    if kind == GateChange:
        return _ref(GATE_CHANGE)
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and arguments[1:] == (...,):
        return {"type": "array", "items": _schema(arguments[0])}
    if origin in {Union, UnionType} and NoneType in arguments:
        (rest,) = (each for each in arguments if each is not NoneType)
        return {"anyOf": [_schema(rest), {"type": "null"}]}
    if is_dataclass(kind):
        return _object(cast("type", kind), tagged=False)
    raise TypeError(f"a command has a field of a type without a schema: {kind}")


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
