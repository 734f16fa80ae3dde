"""How does an application that speaks OpenFeature ask for flags?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from flagstaff.errors import MissingExtra
from flagstaff.flags.actor import Actor
from flagstaff.flags.compile import Compiled
from flagstaff.flags.evaluation import Evaluation
from flagstaff.sdk.client import Client
from flagstaff.sdk.readiness import Mode

try:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.event import ProviderEventDetails
    from openfeature.exception import ErrorCode, ProviderNotReadyError
    from openfeature.flag_evaluation import FlagResolutionDetails
    from openfeature.provider import AbstractProvider, Metadata
except ModuleNotFoundError as exc:
    raise MissingExtra.named("openfeature", package="openfeature-sdk") from exc

if TYPE_CHECKING:
    from openfeature.flag_evaluation import FlagValueType
    from openfeature.hook import Hook

Value = TypeVar("Value")


class FlagstaffProvider(AbstractProvider):
    """Answers OpenFeature's questions from a client.

    The targeting key is the actor's id, the other attributes are what expressions ask about. A
    boolean is whether the flag is on; the other types are the payload of the variant. A flag that
    is off answers with the caller's default and the reason `DISABLED`.
    """

    def __init__(self, client: Client, *, hooks: Sequence[Hook] = ()) -> None:
        super().__init__()
        self._client, self._hooks = client, list(hooks)
        self._before: Compiled | None = None

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata(name="flagstaff")

    def get_provider_hooks(self) -> list[Hook]:
        """Return the hooks given at the start."""
        return self._hooks

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Begin to emit events.

        Raises:
            ProviderNotReadyError: there is no snapshot yet; READY is emitted when there is.
        """
        del evaluation_context
        self._client.holder.listen(self._changed)
        self._client.holder.listen_to_mode(self._mode_changed)
        if not self._client.readiness().ready:
            raise ProviderNotReadyError("there is no snapshot yet")

    def shutdown(self) -> None:
        """Emit no more; the client stays open, because it is the application's."""
        self._client.holder.forget(self._changed, self._mode_changed)
        self._before = None

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Return whether the flag is on."""
        answer = self._client.evaluate(
            flag_key, *_actors(evaluation_context), default=default_value
        )
        payload = answer.payload
        value = payload if answer.value and isinstance(payload, bool) else answer.value
        return self._details(answer, value)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Return the variant's text, or its name if it carries nothing."""
        return self._typed(flag_key, default_value, evaluation_context, _text)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Return the variant's whole number."""
        return self._typed(flag_key, default_value, evaluation_context, _integer)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Return the variant's number."""
        return self._typed(flag_key, default_value, evaluation_context, _float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Return the variant's object or list."""
        return self._typed(flag_key, default_value, evaluation_context, _object)

    def _typed(
        self,
        flag_key: str,
        default_value: Value,
        context: EvaluationContext | None,
        read: Callable[[Evaluation], object],
    ) -> FlagResolutionDetails[Value]:
        answer = self._client.evaluate(flag_key, *_actors(context))
        if answer.error is not None or not answer.value:
            return self._details(answer, default_value)
        found = read(answer)
        if found is None:
            return FlagResolutionDetails(
                value=default_value,
                reason="ERROR",
                error_code=ErrorCode.TYPE_MISMATCH,
                error_message=f"the variant {answer.variant!r} of {flag_key} has another type",
            )
        return self._details(answer, cast("Value", found))

    def _details(self, answer: Evaluation, value: Value) -> FlagResolutionDetails[Value]:
        environment = self._client.holder.snapshot.environment
        return FlagResolutionDetails(
            value=value,
            variant=None if answer.error else answer.variant,
            reason=answer.reason.value,
            error_code=None if answer.error is None else ErrorCode(answer.error.value),
            error_message=answer.words or None,
            flag_metadata={
                "gate": answer.gate.value,
                "version": str(answer.version),
                "flagSetId": environment,
            },
        )

    def _changed(self, compiled: Compiled) -> None:
        before, self._before = self._before, compiled
        if before is None:
            return
        old, new = before.snapshot.flags, compiled.snapshot.flags
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        if changed:
            self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=changed))

    def _mode_changed(self, mode: Mode, problem: str) -> None:
        details = ProviderEventDetails(message=problem or None)
        if mode in {Mode.STALE, Mode.CLOSED}:
            self.emit_provider_stale(details)
        elif mode is not Mode.STARTING:
            self.emit_provider_ready(details)


def _actors(context: EvaluationContext | None) -> tuple[Actor, ...]:
    if context is None or not context.targeting_key:
        return ()
    return (Actor(context.targeting_key, context.attributes),)


def _text(answer: Evaluation) -> str | None:
    if isinstance(answer.payload, str):
        return answer.payload
    return answer.variant if answer.payload is None else None


def _integer(answer: Evaluation) -> int | None:
    payload = answer.payload
    return payload if isinstance(payload, int) and not isinstance(payload, bool) else None


def _float(answer: Evaluation) -> float | None:
    payload = answer.payload
    if isinstance(payload, bool) or not isinstance(payload, int | float):
        return None
    return float(payload)


def _object(answer: Evaluation) -> object:
    return answer.payload if isinstance(answer.payload, dict | list) else None
