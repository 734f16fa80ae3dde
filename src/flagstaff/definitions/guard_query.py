"""What does a guard ask a metric source?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.sources import BUILT_IN, MetricSource, SourceKind
from flagstaff.rollouts.query import RETRIED, WAITS, Query

QUERY_KEYS: Final = (
    "source",
    "bad",
    "total",
    "histogram",
    "query",
    "cohort",
    "exposure",
    "counts",
)

COHORT: Final = "{cohort}"
"""Where the word for one side stands in the paths of a JSON answer."""

MILLISECONDS: Final = "{ms}"
"""Where the bound stands above which something is slow, in the same paths."""

SLOWER_THAN: Final = ":slower_than"
"""Where that bound stands in a statement, in seconds."""

_HISTOGRAM: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*(\{[^{}]*\})?")

_TAKES: Final = {
    SourceKind.PROMETHEUS: ("bad", "total", "cohort"),
    SourceKind.HTTP: ("bad", "total", "cohort"),
    SourceKind.SQL: ("query", "cohort"),
    SourceKind.SENTRY: ("query", "cohort", "exposure"),
    SourceKind.FLAGSTAFF: ("bad",),
}
_TAKES_OF_SLOW: Final = {
    **_TAKES,
    SourceKind.PROMETHEUS: ("histogram", "cohort"),
    SourceKind.SENTRY: (),
}
_EXAMPLES: Final = {
    SourceKind.PROMETHEUS: {
        "bad": '`bad: rollout_requests_total{flag="my_flag", code_class="5xx"}`',
        "total": '`total: rollout_requests_total{flag="my_flag"}`',
    },
    SourceKind.HTTP: {
        "bad": "`bad: my_flag.{cohort}.failed`",
        "total": "`total: my_flag.{cohort}.all`",
    },
}


def read_query(
    fields: Fields, sources: Mapping[str, MetricSource], *, slow: bool = False
) -> Query | None:
    """Return what is asked of the guard's `source`, and note what is wrong with it.

    Args:
        fields: the guard.
        sources: those that are declared.
        slow: whether it counts what takes too long, not what fails.
    """
    name = fields.required("source")
    if name not in sources and name != BUILT_IN:
        if name:
            fields.problems.error(
                f"{fields.label('source')} is {quote(name)}, which is no source",
                line=fields.line("source"),
                remedy=suggestion(name, (*sources, BUILT_IN))
                if sources
                else "declare it under `sources`",
            )
        return None
    kind = sources[name].kind if name in sources else SourceKind.FLAGSTAFF
    _check_keys(fields, kind, slow=slow)
    label, on, off = _cohort(fields, kind)
    return Query(
        source=name,
        bad=_bad(fields, kind, slow=slow),
        total=_histogram(fields)
        if _has_histogram(kind, slow=slow)
        else _part(fields, kind, "total"),
        statement=_statement(fields, kind, slow=slow),
        label=label,
        on=on,
        off=off,
        flag=fields.text("flag") or "" if kind is SourceKind.FLAGSTAFF else "",
        exposure=_exposure(fields, kind),
    )


def _check_keys(fields: Fields, kind: SourceKind, *, slow: bool) -> None:
    takes = _TAKES_OF_SLOW[kind] if slow else _TAKES[kind]
    if slow and kind is SourceKind.SENTRY:
        fields.problems.error(
            f"{fields.label('slower_than')} asks how long things took, and Sentry knows of errors",
            line=fields.line("slower_than"),
            remedy="ask another source",
        )
        return
    for key in ("jobs", *QUERY_KEYS[1:-1]):
        if key in fields and key not in takes:
            more = " with `slower_than`" if slow else ""
            remedy = f"delete it; it takes {', '.join(takes)}"
            if key == "histogram":
                remedy = "delete it, or add `slower_than` and let Prometheus be the source"
            fields.problems.error(
                f"{fields.label(key)} means nothing to a source of the kind `{kind}`{more}",
                line=fields.line(key),
                remedy=remedy,
            )


def _has_histogram(kind: SourceKind, *, slow: bool) -> bool:
    return slow and kind is SourceKind.PROMETHEUS


def _histogram(fields: Fields) -> str:
    """Return the selector of a histogram's buckets."""
    text = fields.required(
        "histogram",
        remedy='add it, such as `histogram: rollout_request_duration_seconds{flag="my_flag"}`',
    ).strip()
    if text and not _HISTOGRAM.fullmatch(text):
        fields.problems.error(
            f"{fields.label('histogram')} is {quote(text)}, which is no histogram",
            line=fields.line("histogram"),
            remedy="name it, with labels in braces if need be, without any function",
        )
    name, brace, labels = text.partition("{")
    return f"{name.removesuffix('_bucket')}_bucket{brace}{labels}"


def _bad(fields: Fields, kind: SourceKind, *, slow: bool) -> str:
    if _has_histogram(kind, slow=slow):
        return ""
    if kind is SourceKind.FLAGSTAFF and slow:
        return fields.choice("bad", ("requests", "jobs", WAITS)) or "requests"
    if kind is SourceKind.HTTP and slow and MILLISECONDS not in (fields.text("bad") or ""):
        fields.problems.error(
            f"{fields.label('bad')} is the same for all bounds",
            line=fields.line("bad"),
            remedy=f"write {MILLISECONDS} where the bound stands: "
            f"`bad: my_flag.{COHORT}.slower_than.{MILLISECONDS}`",
        )
    if kind is SourceKind.FLAGSTAFF:
        return fields.choice("bad", ("outcomes", "5xx", "302", "jobs", RETRIED)) or "outcomes"
    return _part(fields, kind, "bad")


def _part(fields: Fields, kind: SourceKind, key: str) -> str:
    if key not in _TAKES[kind] or kind is SourceKind.FLAGSTAFF:
        return ""
    text = fields.required(key, remedy=f"add it, such as {_EXAMPLES[kind][key]}")
    if kind is SourceKind.HTTP and text and COHORT not in text:
        fields.problems.error(
            f"{fields.label(key)} is {quote(text)}, the same for both sides",
            line=fields.line(key),
            remedy=f"write {COHORT} where the word for the side stands: {_EXAMPLES[kind][key]}",
        )
    if kind is SourceKind.PROMETHEUS and re.search(r"\b(?:i?rate|increase|i?delta)\s*\(", text):
        fields.problems.error(
            f"{fields.label(key)} asks for differences that Prometheus estimates, and that overlap",
            line=fields.line(key),
            remedy="name the counter itself, without rate() or increase()",
        )
    return text


def _statement(fields: Fields, kind: SourceKind, *, slow: bool) -> str:
    if "query" not in _TAKES[kind]:
        return ""
    if kind is SourceKind.SENTRY:
        return fields.text("query") or ""
    node = fields.scalar("query")
    text = node.text.strip() if node else ""
    if not text:
        fields.problems.error(
            f"has no {fields.label('query')}",
            line=fields.line("query"),
            remedy="add a SELECT of the columns cohort, bad and total",
        )
    missing = [each for each in (":since", ":until") if text and each not in text]
    if slow and text and SLOWER_THAN not in text:
        fields.problems.error(
            f"{fields.label('query')} does not use {SLOWER_THAN}",
            line=fields.line("query"),
            remedy="count what took longer, in seconds, as in "
            "`count(*) FILTER (WHERE seconds > :slower_than) AS bad`",
        )
    if missing:
        fields.problems.error(
            f"{fields.label('query')} does not use {' and '.join(missing)}",
            line=fields.line("query"),
            remedy="count what happened from :since to before :until, as in "
            "`WHERE at >= :since AND at < :until`",
        )
    return text


def _cohort(fields: Fields, kind: SourceKind) -> tuple[str, str, str]:
    default = Query(source="")
    label = default.label
    if kind is SourceKind.SENTRY:
        label = f"rollout.{fields.text('flag') or ''}"
    cohort = fields.mapping("cohort") if "cohort" in _TAKES[kind] else None
    if cohort is None:
        return label, default.on, default.off
    labelled = kind in {SourceKind.PROMETHEUS, SourceKind.SENTRY}
    cohort.unknown(("label", "on", "off") if labelled else ("on", "off"), cohort.problems.error)
    on, off = cohort.text("on") or default.on, cohort.text("off") or default.off
    if on == off:
        cohort.problems.error(
            f"{cohort.label('on')} and {cohort.label('off')} are the same",
            line=cohort.line("on"),
            remedy="write the two words that tell the sides apart",
        )
    return (cohort.text("label") if labelled else None) or label, on, off


def _exposure(fields: Fields, kind: SourceKind) -> str:
    if kind is not SourceKind.SENTRY:
        return ""
    return fields.required(
        "exposure",
        remedy="name another guard, whose totals are used: Sentry knows of failures only",
    )
