"""What do clients of flagd and we say to each other? The messages of `flagd.sync.v1`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from google.protobuf.json_format import ParseDict

PACKAGE = "flagd.sync.v1"
SERVICE = f"{PACKAGE}.FlagSyncService"

_TEXT = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
_MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
_ASKED = {"provider_id": (1, _TEXT), "selector": (2, _TEXT)}
_MESSAGES = {
    "SyncFlagsRequest": _ASKED,
    "SyncFlagsResponse": {"flag_configuration": (1, _TEXT), "sync_context": (2, _MESSAGE)},
    "FetchAllFlagsRequest": _ASKED,
    "FetchAllFlagsResponse": {"flag_configuration": (1, _TEXT)},
    "GetMetadataRequest": {},
    "GetMetadataResponse": {"metadata": (2, _MESSAGE)},
}


def _classes() -> dict[str, Any]:
    """Return the classes of the messages, in a pool of our own.

    A client in the same process may have registered the same names in the usual one.
    """
    struct = descriptor_pb2.FileDescriptorProto()
    struct_pb2.DESCRIPTOR.CopyToProto(struct)
    file = descriptor_pb2.FileDescriptorProto(
        name="flagstaff/flagd.proto", package=PACKAGE, syntax="proto3", dependency=[struct.name]
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
                type_name=".google.protobuf.Struct" if kind == _MESSAGE else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(struct)
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"{PACKAGE}.{name}") for name in _MESSAGES}
    return {name: message_factory.GetMessageClass(each) for name, each in found.items()}


_CLASSES = _classes()


def selector_of(request: bytes) -> str:
    """Return the selector of a request to sync or to fetch.

    Raises:
        google.protobuf.message.DecodeError: it is no such message.
    """
    return str(_CLASSES["SyncFlagsRequest"].FromString(request).selector)


def sync_response(flags: str, metadata: Mapping[str, Any]) -> bytes:
    """Return one message of the stream."""
    content = {"flag_configuration": flags, "sync_context": metadata}
    return _written("SyncFlagsResponse", content)


def fetch_response(flags: str) -> bytes:
    """Return the answer to who wants the flags once."""
    return _written("FetchAllFlagsResponse", {"flag_configuration": flags})


def metadata_response(metadata: Mapping[str, Any]) -> bytes:
    """Return the answer to who wants to know whose flags these are."""
    return _written("GetMetadataResponse", {"metadata": metadata})


def _written(name: str, content: Mapping[str, Any]) -> bytes:
    return bytes(ParseDict(content, _CLASSES[name]()).SerializeToString())
