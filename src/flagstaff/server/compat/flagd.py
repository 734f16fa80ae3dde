"""How do flagd's clients follow the flags of an environment? By its sync protocol, over gRPC.

It runs in the event loop of the HTTP server, on a port of its own, and spreads what the hub does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import grpc
from anyio.to_thread import run_sync
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers

from flagstaff.errors import Conflict, FlagstaffError, Refused, Unavailable, UsageError
from flagstaff.flags.snapshot import Snapshot, parse_json
from flagstaff.server.access import Access, bearer, check_reading
from flagstaff.server.compat.asking import ENVIRONMENT, usual_environment
from flagstaff.server.compat.flagd_flags import configuration
from flagstaff.server.compat.flagd_messages import (
    SERVICE,
    fetch_response,
    metadata_response,
    selector_of,
    sync_response,
)
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import Channel, Hub
from flagstaff.services.unit import Context

Call = grpc.aio.ServicerContext[bytes, bytes]

SELECTOR = "flagd-selector"
SELECTED_BY = frozenset({"environment", "flagSetId", "source"})
"""What may stand before `=` in a selector; flagd's own words are among them."""

METADATA_ENVIRONMENT = "flagstaff_environment"
"""Clients put the metadata into their evaluation context, so it must not look like an attribute."""

PATIENCE = 2.0
"""Seconds that calls get to end in order."""

OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 64 * 1024),
    # A dead connection is noticed, and clients may ask as often as they usually do.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
)

_CODES: tuple[tuple[type[FlagstaffError], grpc.StatusCode], ...] = (
    (UsageError, grpc.StatusCode.NOT_FOUND),  # an environment is all that can be wrong
    (Refused, grpc.StatusCode.PERMISSION_DENIED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """One snapshot, as clients want it: written once, however many listen."""

    sync: bytes
    fetch: bytes


class FlagSync:
    """The three calls of the service."""

    def __init__(self, context: Context, hub: Hub, access: Access) -> None:
        self._context = context
        self._hub = hub
        self._access = access
        self._written: dict[str, tuple[str, asyncio.Future[Messages]]] = {}

    async def sync_flags(self, request: bytes, call: Call) -> AsyncIterator[bytes]:
        """Stream the flags: the present ones first, then again after each change."""
        environment = await self._environment(request, call)
        try:
            async with aclosing(self._followed(environment)) as messages:
                async for each in messages:
                    yield each.sync
        except FlagstaffError as exc:
            await _fail(call, exc)
        await call.abort(grpc.StatusCode.UNAVAILABLE, "the server ends")

    async def fetch_all_flags(self, request: bytes, call: Call) -> bytes:
        """Return the present flags."""
        environment = await self._environment(request, call)
        try:
            with self._hub.follower(environment) as (_, channel):
                latest = await self._hub.latest(channel)
                return (await self._messages(channel, latest)).fetch
        except FlagstaffError as exc:
            await _fail(call, exc)

    async def get_metadata(self, _request: bytes, call: Call) -> bytes:
        """Return what is known before there are flags: not more than what the headers say.

        The request has no selector, and an environment that is not the stream's would mislead.
        """
        headers = _headers(call)
        environment = await self._environment(b"", call)
        named = ENVIRONMENT in headers or SELECTOR in headers
        metadata = {METADATA_ENVIRONMENT: environment} if named else {}
        return metadata_response({"flagstaff_protocol": 1, **metadata})

    async def _environment(self, request: bytes, call: Call) -> str:
        """Return the environment of a call by somebody who may read its flags."""
        headers = _headers(call)
        try:
            person = await self._access.person(headers, [bearer(headers)])
            if person is None:
                text = "the token is missing or wrong; send it as metadata, authorization: Bearer …"
                await call.abort(grpc.StatusCode.UNAUTHENTICATED, text)
            named = headers.get(ENVIRONMENT) or headers.get(SELECTOR) or selector_of(request)
            environment = _selected(named) or usual_environment(self._context)
            self._context.check_environments((environment,))
            check_reading(person, environment)
        except DecodeError:
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is no request to sync flags")
        except FlagstaffError as exc:
            await _fail(call, exc)
        return environment

    async def _followed(self, environment: str) -> AsyncGenerator[Messages]:
        with self._hub.follower(environment) as (listener, channel):
            latest = await self._hub.latest(channel)
            sent = ""
            while not listener.over:
                if latest.etag != sent:
                    sent = latest.etag
                    yield await self._messages(channel, latest)
                else:
                    await listener.bell.wait()
                    listener.bell.clear()
                latest = channel.latest or latest

    async def _messages(self, channel: Channel, latest: Encoded) -> Messages:
        tag, written = self._written.get(channel.environment, ("", None))
        if written is None or tag != latest.etag:
            written = asyncio.ensure_future(run_sync(_write, latest))
            self._written[channel.environment] = (latest.etag, written)
        return await asyncio.shield(written)


class FlagdServer:
    """The service on a port.

    Args:
        sync: what it serves.
        host: the address to listen on.
        port: 0 takes any free one.
        credentials: with them it speaks TLS.
    """

    def __init__(
        self, sync: FlagSync, host: str, port: int, credentials: grpc.ServerCredentials | None
    ) -> None:
        self._sync = sync
        self._host = f"[{host}]" if ":" in host else host
        self._port = port
        self._credentials = credentials
        self._server: grpc.aio.Server | None = None

    def bind(self) -> str:
        """Take the port, in the running event loop, and return the address.

        Raises:
            Conflict: it cannot be used.
        """
        server = self._server = grpc.aio.server(options=OPTIONS)
        server.add_generic_rpc_handlers((self._handlers(),))
        wanted = f"{self._host}:{self._port}"
        try:
            if self._credentials is None:
                port = server.add_insecure_port(wanted)
            else:
                port = server.add_secure_port(wanted, self._credentials)
        except RuntimeError as exc:
            raise Conflict(
                f"port {self._port} of {self._host} cannot be used for flagd's clients",
                hint="choose another, or 0 for any free one",
            ) from exc
        return f"{self._host}:{port}"

    async def start(self) -> None:
        """Begin to answer."""
        assert self._server is not None  # noqa: S101 bound before
        await self._server.start()

    async def stop(self) -> None:
        """Stop answering; streams end because the hub is closed, and get a moment to say so."""
        if self._server is not None:
            await self._server.stop(PATIENCE)

    def _handlers(self) -> grpc.GenericRpcHandler:
        sync = self._sync
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "SyncFlags": grpc.unary_stream_rpc_method_handler(sync.sync_flags),
            "FetchAllFlags": grpc.unary_unary_rpc_method_handler(sync.fetch_all_flags),
            "GetMetadata": grpc.unary_unary_rpc_method_handler(sync.get_metadata),
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)


def server_credentials(certificate: Path | None, key: Path | None) -> grpc.ServerCredentials | None:
    """Return what makes the server speak TLS; without a certificate it speaks in the clear."""
    if certificate is None or key is None:
        return None
    return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])


def _write(latest: Encoded) -> Messages:
    snapshot = Snapshot.from_json(parse_json(latest.body))
    text = json.dumps(configuration(snapshot), ensure_ascii=False, separators=(",", ":"))
    metadata = {METADATA_ENVIRONMENT: snapshot.environment}
    return Messages(sync=sync_response(text, metadata), fetch=fetch_response(text))


def _headers(call: Call) -> Headers:
    shown = call.invocation_metadata() or ()
    return Headers(
        raw=[
            (key.encode(), value.encode("latin-1", "replace"))
            for key, value in shown
            if isinstance(value, str)
        ]
    )


def _selected(selector: str) -> str:
    word, equals, value = selector.partition("=")
    return value if equals and word in SELECTED_BY else selector


async def _fail(call: Call, error: FlagstaffError) -> NoReturn:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    await call.abort(code or grpc.StatusCode.INTERNAL, str(error))
    raise error
