"""Are metric sources, and guards on them, read as written, and every mistake named?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.definitions import load_project
from flagstaff.definitions.sources import MetricSource, SourceKind
from flagstaff.errors import DefinitionError
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
