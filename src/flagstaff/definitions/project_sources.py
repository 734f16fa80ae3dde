"""Which metric sources does a project have?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.problems import quote
from flagstaff.definitions.sources import BUILT_IN, MetricSource, SourceKind
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_DECLARED: Final = (SourceKind.PROMETHEUS, SourceKind.HTTP, SourceKind.SQL, SourceKind.SENTRY)
_KEYS: Final = {
    SourceKind.PROMETHEUS: ("token_file", "timeout", "lag", "max_gap"),
    SourceKind.HTTP: ("token_file", "timeout", "lag", "max_gap"),
    SourceKind.SQL: ("password_file", "timeout", "lag"),
    SourceKind.SENTRY: ("token_file", "organization", "project", "environment", "timeout", "lag"),
}
_LAGS: Final = {
    SourceKind.PROMETHEUS: timedelta(seconds=30),
    SourceKind.HTTP: timedelta(0),
    SourceKind.SQL: timedelta(seconds=5),
    SourceKind.SENTRY: timedelta(seconds=60),
}
_LONGEST_TIMEOUT: Final = timedelta(seconds=30)
_LONGEST_LAG: Final = timedelta(minutes=10)


def read_sources(project: Fields) -> Mapping[str, MetricSource]:
    """Return the entries under `sources` that are in order, by name, and note what is wrong."""
    fields = project.mapping("sources")
    found = {}
    for name in fields or ():
        if name == BUILT_IN:
            project.problems.error(
                f"`sources.{BUILT_IN}` is built in",
                line=fields.line(name) if fields else 0,
                remedy="give yours another name",
            )
        elif fields is not None and (entry := fields.mapping(name)) is not None:
            source = _source(name, entry)
            if source is not None:
                found[name] = source
    return MappingProxyType(found)


def _source(name: str, fields: Fields) -> MetricSource | None:
    kinds = [each for each in _DECLARED if each.value in fields]
    if len(kinds) != 1:
        words = ", ".join(f"`{each}`" for each in _DECLARED)
        fields.problems.error(
            f"{fields.label(kinds[1].value)} is a second address"
            if kinds
            else f"the source {quote(name)} has no address",
            line=fields.line(kinds[1].value if kinds else ""),
            remedy=f"write one of {words} with its address",
        )
        return None
    (kind,) = kinds
    fields.unknown((kind.value, *_KEYS[kind]), fields.problems.error)
    before = len(fields.problems.errors)
    parse = _database if kind is SourceKind.SQL else _web_address
    timeout, lag = fields.parsed("timeout", _timeout), fields.parsed("lag", _lag)
    gap = fields.parsed("max_gap", parse_duration)
    sentry = kind is SourceKind.SENTRY
    default = MetricSource(name=name, kind=kind)
    source = MetricSource(
        name=name,
        kind=kind,
        address=(fields.parsed(kind.value, parse) or "").rstrip("/"),
        token_file=fields.required("token_file") if sentry else fields.text("token_file"),
        password_file=fields.text("password_file"),
        organization=fields.required("organization") if sentry else "",
        project=fields.required("project") if sentry else "",
        environment=fields.text("environment") or "" if sentry else "",
        timeout=default.timeout if timeout is None else timeout,
        lag=_LAGS[kind] if lag is None else lag,
        max_gap=default.max_gap if gap is None else gap,
    )
    return source if len(fields.problems.errors) == before and source.address else None


def _web_address(text: str) -> str:
    if is_web_address(text):
        return text
    raise UsageError(
        "this is no web address", hint="write one that starts with http:// or https://"
    )


def _database(text: str) -> str:
    # The text stays out of the message: it may hold a password.
    if "://" in text:
        return text
    raise UsageError(
        "this is no address of a database",
        hint="write one such as postgresql+psycopg://reader@db.example.com/shop",
    )


def _timeout(text: str) -> timedelta:
    found = parse_duration(text)
    if timedelta(0) < found <= _LONGEST_TIMEOUT:
        return found
    raise UsageError(
        f"{quote(text)} is too long for a server that looks at other guards too"
        if found
        else f"{quote(text)} is no time at all",
        hint="write up to 30s",
    )


def _lag(text: str) -> timedelta:
    found = parse_duration(text)
    if found <= _LONGEST_LAG:
        return found
    raise UsageError(f"{quote(text)} is too late to act on", hint="write up to 10m")
