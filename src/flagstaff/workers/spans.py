"""How does a trace show on which side of a flag a job is? Nothing happens without OpenTelemetry."""

from __future__ import annotations

from typing import Any

try:
    from opentelemetry import trace
except ModuleNotFoundError:
    TRACED = False
else:
    TRACED = True

KEY, VARIANT = "feature_flag.key", "feature_flag.result.variant"
PROVIDER = "feature_flag.provider.name"


def note(flag: str, variant: str, *, kind: str = "") -> None:
    """Set the attributes on the span that is open, under the names of the conventions.

    Args:
        flag: that decides between two names of the job.
        variant: which of them it is.
        kind: only on a span of this kind, such as `PRODUCER`.
    """
    if not TRACED:
        return
    span: Any = trace.get_current_span()
    if not span.is_recording() or (kind and getattr(span, "kind", None) != trace.SpanKind[kind]):
        return
    span.set_attributes({KEY: flag, VARIANT: variant, PROVIDER: "flagstaff"})
