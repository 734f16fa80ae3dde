"""flagd's own provider, evaluating in its process, answers as our SDK does where it can."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from npm_packages import npm_folder, run_node
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.schemas.protobuf.flagd.sync.v1 import sync_pb2, sync_pb2_grpc
from real_server import define, run_server

import flagstaff
from flagstaff.commands.access_model import CreateToken
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60
ACTORS = [f"User:{number}" for number in range(1_000)]
SHARES = {f"share_{n}": share for n, share in enumerate(("0.5", "1", "25", "50.125", "99.9"))}
NAMES = ("new_navigation", "dark_mode", "new_search", "old_search", "needs_search", "needs_none")
VARIED = ("button", "panel", "size", "colour", "theme")
VARIANTS = {
    "button": "variants: [{name: blue}, {name: red}]\n",
    "panel": "variants: [{name: wide, payload: {width: 3}}]\n",
    "size": "variants: [{name: large, payload: 12}]\n",
    "colour": "variants: [{name: green, payload: '#0f0'}]\n",
    "theme": "bucketing: flagd\nvariants: [{name: dark, weight: 3}, {name: light}, {name: odd}]\n",
}
NODE = """
import { FlagdCore } from '@openfeature/flagd-core';
const { configuration, flags, contexts } = JSON.parse(process.argv[2]);
const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const core = new FlagdCore(undefined, quiet);
core.setConfigurations(configuration);
const answers = flags.map((flag) => contexts.map(
  (context) => core.resolveBooleanEvaluation(flag, false, context, quiet).value));
console.log(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\npolicies: {allow_random: true}\n"
    )
    for name in ("new_navigation", "dark_mode", "new_search"):
        define(root, name)
    define(root, "old_search", default=True)
    define(root, "needs_search", "prerequisites: [{flag: new_search}]\n")
    define(root, "needs_none", "prerequisites: [{flag: new_search, value: false}]\n")
    define(root, "murmured", "bucketing: murmur3\n")
    for name in SHARES:
        define(root, name, "bucketing: flagd\n")
    for name, variants in VARIANTS.items():
        define(root, name, variants)
    return root


@pytest.fixture(scope="module")
def server(root):
    yield from run_server(root, flagd_port=0)


@pytest.fixture(autouse=True)
def _nothing_set(server):
    yield
    for environment in ("production", "dev"):
        for name in (*NAMES, *SHARES, *VARIED, "murmured"):
            server.forget(name, environment)


def credentials(token, channel=None):
    call = grpc.access_token_call_credentials(token)
    return grpc.composite_channel_credentials(channel or grpc.local_channel_credentials(), call)


@contextlib.contextmanager
def connected(address, token, **more):
    host, _, port = address.rpartition(":")
    provider = FlagdProvider(
        host=host,
        port=int(port),
        resolver_type=ResolverType.IN_PROCESS,
        channel_credentials=credentials(token, more.pop("channel", None)),
        deadline_ms=PATIENCE * 1000,
        retry_backoff_max_ms=500,
        fatal_status_codes=["UNAUTHENTICATED", "NOT_FOUND"],
        **more,
    )
    api.set_provider_and_wait(provider, "tests")
    try:
        yield api.get_client("tests")
    finally:
        api.clear_providers()


@contextlib.contextmanager
def stub(server, token=None):
    channel = grpc.secure_channel(
        server.flagd,
        credentials(server.token if token is None else token),
        options=[("grpc.enable_retries", 0)],
    )
    with channel:
        yield sync_pb2_grpc.FlagSyncServiceStub(channel)


@contextlib.contextmanager
def sdk(server):
    client = flagstaff.Client.connect(
        server.url, environment="production", token=server.token, cache=None
    )
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def changes(client):
    """Give an event that is set as soon as the provider has told of a change."""
    heard = threading.Event()

    def handler(_details):
        heard.set()

    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, handler)
    try:
        yield heard
    finally:
        client.remove_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, handler)


def until(client, asked, wanted):
    """Wait, by the provider's own events, until an answer is the wanted one."""
    with changes(client) as heard:
        while asked() != wanted:
            assert heard.wait(PATIENCE), f"the answer stays {asked()!r}"
            heard.clear()


def answers(client, names):
    return {name: {each: is_on(client, name, each) for each in ACTORS} for name in names}


def is_on(client, name, actor):
    return client.get_boolean_value(name, default_value=False, evaluation_context=about(actor))


def about(actor, **attributes):
    return EvaluationContext(targeting_key=actor, attributes=attributes)


def test_it_answers_as_our_sdk_does(server):
    server.set("new_navigation", Actors(ids=("User:3", "User:5", "User:5:opt_out"), value=True))
    server.set("dark_mode", PercentageOfActors(value=Decimal(100)))
    server.set("new_search", Boolean(value=True))
    server.set("new_search", Actors(ids=("User:7:opt_out",), value=True))
    server.set("needs_search", Boolean(value=True))
    server.set("needs_none", Boolean(value=True))
    with connected(server.flagd, server.token) as client, sdk(server) as ours:
        expected = {name: {each: ours.is_enabled(name, each) for each in ACTORS} for name in NAMES}
        assert answers(client, NAMES) == expected
        assert expected["needs_none"]["User:7"] is True
        for name in NAMES:
            found = client.get_boolean_value(name, default_value=True)
            assert found is ours.is_enabled(name), name
        unknown = client.get_boolean_details("nowhere", default_value=True)
        assert (unknown.value, unknown.error_code) == (True, "FLAG_NOT_FOUND")


def test_values_of_every_type(server):
    with connected(server.flagd, server.token) as client:
        assert client.get_string_value("colour", "none") == "none"
        assert client.get_string_details("colour", "none").reason == "DISABLED"
        for name in VARIED:
            server.set(name, Boolean(value=True))
        until(client, lambda: client.get_integer_value("size", 0), 12)
        assert client.get_float_value("size", 0.0) == 12.0
        assert client.get_string_value("colour", "none") == "#0f0"
        assert client.get_object_value("panel", {}) == {"width": 3}
        shared_out = client.get_string_details("button", "none", about("User:2"))
        assert shared_out.value == "none"
        assert "crc32" in shared_out.flag_metadata["closed"]
        assert shared_out.flag_metadata["environment"] == "production"


def test_programs_on_the_same_machine_find_the_port(root, server):
    assert json.loads((root / ".flagstaff/server.json").read_text())["flagd"] == server.flagd


def test_a_change_arrives_without_polling(server):
    with connected(server.flagd, server.token) as client, changes(client) as heard:
        assert client.get_boolean_value("dark_mode", default_value=True) is False
        heard.clear()
        server.set("dark_mode", Boolean(value=True))
        assert heard.wait(PATIENCE)
        assert client.get_boolean_value("dark_mode", default_value=False) is True


def test_flagd_bucketing_is_exact(server):
    for name, share in SHARES.items():
        server.set(name, PercentageOfActors(value=Decimal(share)))
    with connected(server.flagd, server.token) as client, sdk(server) as ours:
        found = answers(client, SHARES)
        assert found == {
            name: {each: ours.is_enabled(name, each) for each in ACTORS} for name in SHARES
        }
        opened = [sum(each.values()) for each in found.values()]
        assert opened == sorted(opened)
        assert 200 < opened[2] < 300
        assert client.get_boolean_value("share_4", default_value=True) is False


def test_a_growing_share_adds_actors_only(server):
    with connected(server.flagd, server.token) as client:
        before = set()
        for share in ("3", "25", "60"):
            server.set("share_0", PercentageOfActors(value=Decimal(share)))
            with sdk(server) as ours:
                having = {each for each in ACTORS if ours.is_enabled("share_0", each)}
            until(
                client,
                lambda: {
                    each for each, on in answers(client, ["share_0"])["share_0"].items() if on
                },
                having,
            )
            assert before < having
            before = having


def test_variants_are_shared_out_as_by_our_sdk(server):
    server.set("theme", Boolean(value=True))
    with connected(server.flagd, server.token) as client, sdk(server) as ours:
        found = {each: client.get_string_value("theme", "none", about(each)) for each in ACTORS}
        assert found == {each: ours.variant("theme", each) for each in ACTORS}
        counted = Counter(found.values())
        assert len(counted) == 3
        assert 0.5 < counted["dark"] / len(ACTORS) < 0.7
        assert client.get_string_value("theme", "none") == "none"


def test_what_it_cannot_answer_stays_closed_and_says_so(server):
    rule = Expression(value={"GreaterThan": [{"Number": {"Property": "age"}}, 3]})
    for change, why in (
        (PercentageOfActors(value=Decimal(50)), "crc32"),
        (PercentageOfTime(value=Decimal(50)), "percentage of time"),
        (Groups(names=("staff",), value=True), "groups"),
        (rule, "expression"),
    ):
        server.set("dark_mode", change)
        server.set("dark_mode", Actors(ids=("User:3",), value=True))
        with connected(server.flagd, server.token) as client:
            found = answers(client, ["dark_mode"])["dark_mode"]
            assert [each for each, on in found.items() if on] == ["User:3"]
            details = client.get_boolean_details("dark_mode", default_value=True)
            assert details.value is False
            assert why in details.flag_metadata["closed"]
        server.forget("dark_mode")
    server.set("murmured", PercentageOfActors(value=Decimal(50)))
    with connected(server.flagd, server.token) as client:
        assert not any(answers(client, ["murmured"])["murmured"].values())


PLAN, AGE, BETA = {"Property": ["plan"]}, {"Property": ["age"]}, {"Property": ["beta"]}
RULES = [
    {"Equal": [PLAN, "gold"]},
    {"NotEqual": [PLAN, "gold"]},
    {"Equal": ["User:1", {"Property": ["flag_id"]}]},
    {"Equal": [AGE, 1]},
    {"NotEqual": [AGE, 1]},
    {"GreaterThan": [AGE, 17]},
    {"LessThanOrEqualTo": [AGE, 17.5]},
    {"LessThan": [0, AGE]},
    {"Equal": [BETA, True]},
    {"NotEqual": [BETA, False]},
    {"Boolean": BETA},
    BETA,
    {"All": [{"Any": [{"Equal": [PLAN, "gold"]}, BETA]}, {"NotEqual": [AGE, 1]}]},
]
VALUES = [None, True, False, 0, 1, 1.0, 17, 18.5, "", "gold", "true", "1", "20", "x", [], {"a": 1}]
ORDERS = ("GreaterThan", "LessThan")


def test_expressions_answer_the_same_for_every_kind_of_value(server):
    seen = Counter()
    folder = npm_folder("@openfeature/flagd-core@4.0.1")
    for rule in RULES:
        server.set("dark_mode", Expression(value=rule))
        contexts = [
            {name: value}
            for name in ("plan", "age", "beta")
            for value in VALUES
            # Engines disagree on how a list or an object compares with a number.
            if not (isinstance(value, list | dict) and any(each in str(rule) for each in ORDERS))
        ]
        with (
            connected(server.flagd, server.token) as client,
            sdk(server) as ours,
            stub(server) as raw,
        ):
            expected = [
                ours.is_enabled("dark_mode", flagstaff.Actor("User:1", each)) for each in contexts
            ]
            found = [
                client.get_boolean_value("dark_mode", True, about("User:1", **each))
                for each in contexts
            ]
            assert dict(zip(map(str, contexts), found, strict=True)) == dict(
                zip(map(str, contexts), expected, strict=True)
            ), rule
            fetched = raw.FetchAllFlags(sync_pb2.FetchAllFlagsRequest(), timeout=PATIENCE)
        given = {
            "configuration": fetched.flag_configuration,
            "flags": ["dark_mode"],
            "contexts": [{"targetingKey": "User:1", **each} for each in contexts],
        }
        assert run_node(folder, NODE, given) == [expected], rule
        seen.update(expected)
    assert min(seen.values()) > 50


def test_a_client_that_hashes_in_another_way_stays_closed(server):
    """The one in Node still hashes the plain text: it would give the flag to other people."""
    for name, share in SHARES.items():
        server.set(name, PercentageOfActors(value=Decimal(share)))
    server.set("share_0", Actors(ids=("User:3",), value=True))
    with stub(server) as raw:
        fetched = raw.FetchAllFlags(sync_pb2.FetchAllFlagsRequest(), timeout=PATIENCE)
    given = {
        "configuration": fetched.flag_configuration,
        "flags": list(SHARES),
        "contexts": [{"targetingKey": each} for each in ACTORS],
    }
    found = run_node(npm_folder("@openfeature/flagd-core@4.0.1"), NODE, given)
    assert [sum(each) for each in found] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_wrong_token_is_refused(server, token):
    with stub(server, token) as raw:
        for call in (
            lambda: next(raw.SyncFlags(sync_pb2.SyncFlagsRequest(), timeout=PATIENCE)),
            lambda: raw.FetchAllFlags(sync_pb2.FetchAllFlagsRequest(), timeout=PATIENCE),
            lambda: raw.GetMetadata(sync_pb2.GetMetadataRequest(), timeout=PATIENCE),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                call()
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("selector", ["dev", "environment=dev", "flagSetId=dev", "source=dev"])
def test_the_selector_names_the_environment(server, selector):
    server.set("dark_mode", Boolean(value=True), "dev")
    with connected(server.flagd, server.token, selector=selector) as client:
        assert client.get_boolean_value("dark_mode", default_value=False) is True
    with connected(server.flagd, server.token) as client:
        assert client.get_boolean_value("dark_mode", default_value=True) is False


def test_an_unknown_environment_is_not_found(server):
    request = sync_pb2.FetchAllFlagsRequest(selector="nowhere")
    with stub(server) as raw, pytest.raises(grpc.RpcError) as caught:
        raw.FetchAllFlags(request, timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "dev" in caught.value.details()


def test_a_token_for_one_environment_opens_no_other(server):
    command = CreateToken(label="flagd", roles=("application@dev",), machine=True)
    token = server.send(command)["token"]
    with stub(server, token) as raw:
        raw.FetchAllFlags(sync_pb2.FetchAllFlagsRequest(selector="dev"), timeout=PATIENCE)
        with pytest.raises(grpc.RpcError) as caught:
            raw.FetchAllFlags(sync_pb2.FetchAllFlagsRequest(), timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_metadata_and_both_ways_to_fetch_say_the_same(server):
    by_header = (("flagd-selector", "dev"),)
    with stub(server) as raw:
        asked = sync_pb2.GetMetadataRequest()
        plain = raw.GetMetadata(asked, timeout=PATIENCE).metadata
        named = raw.GetMetadata(asked, timeout=PATIENCE, metadata=by_header).metadata
        streamed = next(
            raw.SyncFlags(sync_pb2.SyncFlagsRequest(), timeout=PATIENCE, metadata=by_header)
        )
        fetched = raw.FetchAllFlags(sync_pb2.FetchAllFlagsRequest(selector="dev"), timeout=PATIENCE)
    assert dict(plain) == {"flagstaff_protocol": 1}
    assert named["flagstaff_environment"] == streamed.sync_context["flagstaff_environment"] == "dev"
    assert fetched.flag_configuration == streamed.flag_configuration
    assert json.loads(fetched.flag_configuration)["metadata"]["environment"] == "dev"


def test_with_a_certificate_it_speaks_tls(tmp_path):
    define(tmp_path, "dark_mode", default=True)
    cert, key = certificate(tmp_path)
    given = {"flagd_port": 0, "tls_cert": str(cert), "tls_key": str(key)}
    with contextlib.closing(run_server(tmp_path, **given)) as running:
        server = next(running)
        secure = grpc.ssl_channel_credentials(cert.read_bytes())
        with connected(server.flagd, server.token, channel=secure) as client:
            assert client.get_boolean_value("dark_mode", default_value=False) is True


def certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_the_provider_recovers_from_a_restart(tmp_path):
    define(tmp_path, "dark_mode")
    (tmp_path / "flagstaff.yml").write_text("environments: [production]\n")
    first = run_server(tmp_path, flagd_port=0)
    before = next(first)
    with connected(before.flagd, before.token) as client:
        stale = threading.Event()
        client.add_handler(ProviderEvent.PROVIDER_STALE, lambda _: stale.set())
        first.close()
        assert stale.wait(PATIENCE)
        assert client.get_boolean_value("dark_mode", default_value=True) is False
        port = int(before.flagd.rpartition(":")[2])
        with contextlib.closing(run_server(tmp_path, flagd_port=port)) as second:
            next(second).set("dark_mode", Boolean(value=True))
            until(client, lambda: client.get_boolean_value("dark_mode", default_value=False), True)
