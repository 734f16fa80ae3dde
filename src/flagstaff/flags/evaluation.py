"""What did a flag answer, and why?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an evaluation answered as it did, in OpenFeature's words."""

    STATIC = "STATIC"
    DEFAULT = "DEFAULT"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DISABLED = "DISABLED"
    STALE = "STALE"
    ERROR = "ERROR"


class ErrorCode(StrEnum):
    """Why an evaluation has the reason `ERROR`, in OpenFeature's words."""

    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    PROVIDER_NOT_READY = "PROVIDER_NOT_READY"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    GENERAL = "GENERAL"


class Gate(StrEnum):
    """Which rule decided.

    The first six open a flag, in the order in which they are asked. `opt_out` and `prerequisite`
    close one. `default`: the flag is not set. `none`: no gate opened.
    """

    BOOLEAN = "boolean"
    EXPRESSION = "expression"
    ACTORS = "actors"
    PERCENTAGE_OF_ACTORS = "percentage_of_actors"
    PERCENTAGE_OF_TIME = "percentage_of_time"
    GROUPS = "groups"
    OPT_OUT = "opt_out"
    PREREQUISITE = "prerequisite"
    DEFAULT = "default"
    NONE = "none"


REASONS = {
    Gate.BOOLEAN: Reason.STATIC,
    Gate.EXPRESSION: Reason.TARGETING_MATCH,
    Gate.ACTORS: Reason.TARGETING_MATCH,
    Gate.PERCENTAGE_OF_ACTORS: Reason.SPLIT,
    Gate.PERCENTAGE_OF_TIME: Reason.SPLIT,
    Gate.GROUPS: Reason.TARGETING_MATCH,
    Gate.OPT_OUT: Reason.TARGETING_MATCH,
    Gate.PREREQUISITE: Reason.DISABLED,
    Gate.DEFAULT: Reason.DEFAULT,
    Gate.NONE: Reason.DISABLED,
}


SHUT = frozenset({Gate.OPT_OUT, Gate.PREREQUISITE, Gate.NONE})
"""The gates that stand for the answer "off"; `default` stands for the flag's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One answer of one flag.

    Attributes:
        flag: its name.
        value: on or off.
        reason: in OpenFeature's words; a flag that is off is `DISABLED`, not an error.
        gate: the rule that decided.
        variant: the name of the answer; `on` or `off` for a flag without variants.
        payload: what the variant carries; for a flag without variants the value itself.
        version: of the snapshot that answered; 0 if there was none.
        error: why the reason is `ERROR`, or None.
        words: why, and what would change the answer.
    """

    flag: str
    value: bool
    reason: Reason
    gate: Gate
    variant: str = ""
    payload: object = None
    version: int = 0
    error: ErrorCode | None = None
    words: str = ""
