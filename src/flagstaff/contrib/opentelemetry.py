"""How does a trace show which flags decided?"""

from __future__ import annotations

from flagstaff.errors import MissingExtra
from flagstaff.flags.evaluation import Evaluation

try:
    from opentelemetry import trace
except ModuleNotFoundError as exc:
    raise MissingExtra.named("opentelemetry", package="opentelemetry-api") from exc

EVENT = "feature_flag.evaluation"


def add_event(
    answer: Evaluation, *, actor: str = "", environment: str = "", span: trace.Span | None = None
) -> None:
    """Add an answer to a span, under the names of the semantic conventions.

    Args:
        answer: what `Client.evaluate` returned.
        actor: the id that was asked about; leave it out where ids must not be in traces.
        environment: whose flags were asked.
        span: the current one otherwise.
    """
    chosen = span or trace.get_current_span()
    attributes: dict[str, str] = {
        "feature_flag.key": answer.flag,
        "feature_flag.provider.name": "flagstaff",
        "feature_flag.result.reason": answer.reason.lower(),
        "feature_flag.result.variant": answer.variant,
        "feature_flag.version": str(answer.version),
    }
    if actor:
        attributes["feature_flag.context.id"] = actor
    if environment:
        attributes["feature_flag.set.id"] = environment
    if answer.error is not None:
        attributes["error.type"] = answer.error.lower()
    chosen.add_event(EVENT, attributes)
