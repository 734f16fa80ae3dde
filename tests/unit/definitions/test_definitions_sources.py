"""Are metric sources, and guards on them, read as written, and every mistake named?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flagstaff.definitions import load_project
from flagstaff.definitions.sources import MetricSource, SourceKind
from flagstaff.errors import DefinitionError
from flagstaff.rollouts.guard import Counting
from flagstaff.rollouts.query import Query

SOURCES = """
sources:
  main: {prometheus: "http://prometheus:9090/", token_file: secrets/prometheus, lag: 45s}
  shop: {http: "https://shop.internal/counts", timeout: 2s}
  orders: {sql: "postgresql+psycopg://reader@db/shop", password_file: secrets/db}
"""
SENTRY = """
sources:
  web:
    sentry: https://sentry.io
    organization: acme
    project: "42"
    token_file: secrets/sentry
guards:
  - {name: requests, flag: checkout_v2, source: flagstaff, bad: 5xx}
  - {name: errors, flag: checkout_v2, source: web, exposure: %s, query: "level:error"}
"""
GUARD = """
guards:
  - name: 5xx
    flag: checkout_v2
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        (tmp_path / "flagstaff.yml").write_text(text)
        return load_project(tmp_path)

    return load


@pytest.fixture
def problems(load):
    def problems(text):
        with pytest.raises(DefinitionError) as caught:
            load(text)
        return str(caught.value)

    return problems


def test_sources_are_read_with_the_defaults_of_their_kind(load):
    assert load(SOURCES).sources == {
        "main": MetricSource(
            name="main",
            kind=SourceKind.PROMETHEUS,
            address="http://prometheus:9090",
            token_file="secrets/prometheus",
            lag=timedelta(seconds=45),
        ),
        "shop": MetricSource(
            name="shop",
            kind=SourceKind.HTTP,
            address="https://shop.internal/counts",
            timeout=timedelta(seconds=2),
            lag=timedelta(0),
        ),
        "orders": MetricSource(
            name="orders",
            kind=SourceKind.SQL,
            address="postgresql+psycopg://reader@db/shop",
            password_file="secrets/db",
            lag=timedelta(seconds=5),
        ),
    }


@pytest.mark.parametrize(
    ("lines", "query"),
    [
        (
            'source: main\nbad: r{code="5xx"}\ntotal: r\ncohort: {label: flag, on: new, off: old}',
            Query(
                source="main",
                bad='r{code="5xx"}',
                total="r",
                label="flag",
                on="new",
                off="old",
            ),
        ),
        (
            'source: shop\nbad: "{cohort}.bad"\ntotal: "{cohort}.all"\ncohort: {on: yes, off: no}',
            Query(source="shop", bad="{cohort}.bad", total="{cohort}.all", on="yes", off="no"),
        ),
        (
            "source: orders\nquery: |\n  SELECT 1\n  WHERE :since < :until",
            Query(source="orders", statement="SELECT 1\nWHERE :since < :until"),
        ),
    ],
)
def test_a_guard_asks_in_the_way_of_its_source(load, lines, query):
    guard = "".join(f"    {line}\n" for line in lines.split("\n"))
    (found,) = load(SOURCES + GUARD + guard).guards
    assert (found.query, found.counts, found.jobs) == (query, "requests", ())


def test_sentry_is_asked_for_a_tag_against_the_totals_of_another_guard(load, problems):
    project = load(SENTRY % "requests")
    assert project.sources["web"].lag == timedelta(seconds=60)
    reported, errors = (each.query for each in project.guards)
    assert reported == Query(source="flagstaff", bad="5xx", flag="checkout_v2")
    assert errors == Query(
        source="web",
        statement="level:error",
        label="rollout.checkout_v2",
        exposure="requests",
    )
    assert "'nothing', which is no guard of the same flag that counts totals itself" in problems(
        SENTRY % "nothing"
    )
    assert "has no `sources.web.token_file`" in problems(
        SENTRY.replace("token_file: secrets/sentry", "") % "requests"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sources: {main: {timeout: 5s}}", "the source 'main' has no address"),
        ("sources: {main: {http: 'http://a', sql: 'sqlite://'}}", "is a second address"),
        ("sources: {main: {prometheus: 'localhost:9090'}}", "this is no web address"),
        ("sources: {main: {sql: shop.db}}", "this is no address of a database"),
        ("sources: {main: {sql: 'sqlite://', token_file: a}}", "unknown key 'token_file'"),
        ("sources: {main: {http: 'http://a', timeout: 5m}}", "'5m' is too long"),
        ("sources: {main: {http: 'http://a', lag: 1h}}", "'1h' is too late to act on"),
        ("sources: {flagstaff: {http: 'http://a'}}", "`sources.flagstaff` is built in"),
    ],
)
def test_mistakes_in_a_source_are_named(problems, text, words):
    assert words in problems(text)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("source: mian", "'mian', which is no source; did you mean `main`?"),
        ("source: main\ntotal: r", "has no `guards.bad`; add it, such as `bad: rollout_requests"),
        ("source: main\nbad: rate(r[1m])\ntotal: r", "asks for differences that Prometheus esti"),
        ("source: main\nbad: b\ntotal: r\nquery: SELECT", "means nothing to a source of the kind"),
        ("source: main\nbad: b\ntotal: r\njobs: log/*", "`guards.jobs` means nothing"),
        ("source: main\nbad: b\ntotal: r\ncohort: {on: a, off: a}", "are the same"),
        ("source: shop\nbad: b\ntotal: '{cohort}'", "'b', the same for both sides"),
        ("source: orders", "has no `guards.query`"),
        ("source: orders\nquery: SELECT :since", "does not use :until"),
        ("jobs: log/*", "'checkout_v2', which renames no job"),
        ("harm_ratio: 2", "or a `source`"),
    ],
)
def test_mistakes_in_a_guard_are_named(problems, lines, words):
    guard = "".join(f"    {line}\n" for line in lines.split("\n"))
    assert words in problems(SOURCES + GUARD + guard)


def test_each_bound_is_a_guard_of_its_own_with_its_part_of_the_weight(load):
    project = load(
        SOURCES
        + GUARD
        + "    source: main\n    weight: 2\n    slower_than: [250ms, 1s]\n"
        + "    histogram: 'shop_seconds_bucket{flag=\"checkout_v2\"}'\n"
        + "    counts: calls\n"
    )
    quick, slow = project.guards
    assert (quick.name, slow.name) == ("5xx over 250 ms", "5xx over 1 s")
    assert (quick.weight, quick.slower_than, quick.counts) == (1.0, 0.25, "calls")
    assert quick.query == Query(
        source="main", total='shop_seconds_bucket{flag="checkout_v2"}', slower_than=0.25
    )
    assert slow.query.slower_than == slow.slower_than == 1.0
    # Where nobody is left to compare with, a bound that most calls are above proves nothing.
    assert quick.harm_above == 0.99


@pytest.mark.parametrize(
    ("lines", "query"),
    [
        (
            "source: main\nhistogram: shop_seconds",
            Query(source="main", total="shop_seconds_bucket"),
        ),
        (
            'source: shop\nbad: "{cohort}.over.{ms}"\ntotal: "{cohort}.all"',
            Query(source="shop", bad="{cohort}.over.{ms}", total="{cohort}.all"),
        ),
        (
            "source: orders\nquery: SELECT :since, :until, :slower_than",
            Query(source="orders", statement="SELECT :since, :until, :slower_than"),
        ),
        ("source: flagstaff", Query(source="flagstaff", bad="requests", flag="checkout_v2")),
        (
            "source: flagstaff\nbad: jobs",
            Query(source="flagstaff", bad="jobs", flag="checkout_v2"),
        ),
        (
            "source: flagstaff\nbad: waits",
            Query(source="flagstaff", bad="waits", flag="checkout_v2"),
        ),
    ],
)
def test_durations_are_asked_for_in_the_way_of_each_source(load, lines, query):
    guard = "".join(f"    {line}\n" for line in (*lines.split("\n"), "slower_than: 2s"))
    (found,) = load(SOURCES + GUARD + guard).guards
    assert (found.name, found.query) == ("5xx", replace(query, slower_than=2.0))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("source: main\nhistogram: s\nslower_than: soon", "'soon' is no length of time"),
        ("source: main\nhistogram: s\nslower_than: 0ms", "'0ms' is no length of time"),
        ("source: main\nhistogram: s\nslower_than: 30h", "'30h' is no length of time"),
        ("source: main\nslower_than: 1s", "has no `guards.histogram`"),
        ("source: main\nhistogram: rate(s[1m])\nslower_than: 1s", "which is no histogram"),
        ("source: main\nhistogram: s\nbad: b\ntotal: t", "or add `slower_than`"),
        ("source: main\nhistogram: s\nbad: b\nslower_than: 1s", "with `slower_than`; delete it"),
        ("source: shop\nbad: '{cohort}'\ntotal: '{cohort}'\nslower_than: 1s", "write {ms} where"),
        ("source: orders\nquery: SELECT :since, :until\nslower_than: 1s", "not use :slower_than"),
        ("source: flagstaff\nbad: 5xx\nslower_than: 1s", "5xx"),
        ("source: flagstaff\nbad: retried\nslower_than: 1s", "retried"),
        ("source: flagstaff\nbad: waits", "waits"),
        (
            f"source: flagstaff\nslower_than: [{', '.join(f'{each}s' for each in range(1, 10))}]",
            "has 9 bounds; name 8 at most",
        ),
    ],
)
def test_mistakes_in_bounds_are_named(problems, lines, words):
    guard = "".join(f"    {line}\n" for line in lines.split("\n"))
    assert words in problems(SOURCES + GUARD + guard)


def test_sentry_knows_no_durations(problems):
    text = SENTRY.replace("exposure: %s", "slower_than: 1s, exposure: requests")
    assert "Sentry knows of errors" in problems(text)


def test_people_are_counted_where_it_is_asked_for(load):
    built_in = SOURCES + GUARD + "    source: flagstaff\n    bad: 302\n"
    (calls,) = load(built_in).guards
    (people,) = load(built_in + "    unit: actors\n").guards
    (named,) = load(built_in + "    unit: actors\n    counts: customers\n").guards
    (slow, _) = load(
        SOURCES + GUARD + "    source: flagstaff\n    slower_than: [1s, 5s]\n    unit: actors\n"
    ).guards
    assert (calls.unit, calls.counts) == (Counting.CALLS, "requests")
    assert (people.unit, people.counts) == (Counting.ACTORS, "people")
    assert (named.unit, named.counts) == (Counting.ACTORS, "customers")
    assert (slow.unit, slow.query.bad) == (Counting.ACTORS, "requests")


@pytest.mark.parametrize(
    "lines",
    [
        "source: main\n    bad: b\n    total: t",
        "source: flagstaff\n    bad: jobs",
        "source: flagstaff\n    bad: retried",
        "source: flagstaff\n    bad: waits\n    slower_than: 1s",
    ],
)
def test_actors_are_counted_only_where_somebody_says_who_they_are(problems, lines):
    found = problems(SOURCES + GUARD + f"    {lines}\n    unit: actors\n")
    assert "only what applications report of requests and outcomes says whose they are" in found


def test_the_unit_is_calls_or_actors(problems):
    assert "people" in problems(SOURCES + GUARD + "    source: flagstaff\n    unit: people\n")
