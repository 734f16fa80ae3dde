"""What can go wrong, in one tree?

FlagstaffError
├── UsageError            the words of a request are wrong                         usage
│   └── ImportProblems    an issue cannot become a rollout as it stands            import_problems
├── DefinitionError       a YAML file says something it must not                   definition
├── NotFound              no such flag, rollout, environment, commit …             not_found
├── Conflict              the thing is not in a state that allows this             conflict
│   ├── Changed           it is no longer as the asker has seen it                 changed
│   └── KeyReused         this key came before, with another request               key_reused
├── Refused               a policy or a permission says no                         refused
│   ├── Forbidden         whoever asks has not the role that it needs              forbidden
│   └── Throttled         too often in too short a time                            throttled
├── Unavailable           something outside does not answer                        unavailable
│   ├── Undecided         its answer is lost: what was asked may have been done    undecided
│   ├── TokenRefused      it answers, and does not accept our token                token_refused
│   └── NotTaken          it answers, and will never take what we sent             not_taken
├── MissingExtra          an optional dependency is not installed                  missing_extra
└── SdkError
    ├── SnapshotError     a snapshot cannot be read; the last good one stays       snapshot
    └── UnknownFlag       strict="raise" and nobody has defined this flag          unknown_flag

Messages say what, which and what next; `hint` is the "what next". No HTTP status lives here: each
protocol has one table at its own edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class FlagstaffError(Exception):
    """Something Flagstaff can explain went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message, with the hint on a line of its own."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling: task queues send exceptions between processes."""
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[FlagstaffError], state: dict[str, object]) -> FlagstaffError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (state["message"],)
    return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in one place of a file: where, what, and what to write instead.

    `line` counts from 1; 0 means the file as a whole.
    """

    file: str
    line: int = 0
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return `file:line: what, and what to write`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


class _Problems(FlagstaffError):
    """Several problems at once, because fixing them one run at a time is a waste of a day."""

    def __init__(self, problems: tuple[Problem, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems), hint=hint)
        self.problems = problems


class UsageError(FlagstaffError):
    """The words of a request are wrong."""

    code = "usage"


class ImportProblems(_Problems, UsageError):
    """An issue cannot become a rollout as it stands."""

    code = "import_problems"


class DefinitionError(_Problems):
    """A YAML file says something it must not."""

    code = "definition"


class NotFound(FlagstaffError):
    """No such thing."""

    code = "not_found"


class Conflict(FlagstaffError):
    """The thing is not in a state that allows this."""

    code = "conflict"


class Changed(Conflict):
    """The thing is no longer as the asker has seen it."""

    code = "changed"


class KeyReused(Conflict):
    """This idempotency key came before, with another request."""

    code = "key_reused"


class Refused(FlagstaffError):
    """A policy or a permission says no."""

    code = "refused"


class Forbidden(Refused):
    """Whoever asks has not the role that it needs."""

    code = "forbidden"


class Throttled(Refused):
    """Too often in too short a time."""

    code = "throttled"


class Unavailable(FlagstaffError):
    """Something outside does not answer."""

    code = "unavailable"


class Undecided(Unavailable):
    """The answer of something outside is lost: what was asked of it may have been done."""

    code = "undecided"


class TokenRefused(Unavailable):
    """The other side answers, and does not accept our token."""

    code = "token_refused"


class NotTaken(Unavailable):
    """The other side answers, and would not take this request another time either."""

    code = "not_taken"


class MissingExtra(FlagstaffError):
    """An optional dependency is not installed."""

    code = "missing_extra"

    @classmethod
    def named(cls, extra: str, *, package: str) -> MissingExtra:
        """Return the one helpful line for a missing `extra` that brings `package`."""
        return cls(f"{package} is not installed", hint=f"pip install 'flagstaff[{extra}]'")


class SdkError(FlagstaffError):
    """The client in the application has a problem; `is_enabled` never raises it."""

    code = "sdk"


class SnapshotError(SdkError):
    """A snapshot cannot be read; the last good one stays in force."""

    code = "snapshot"


class UnknownFlag(SdkError):
    """Nobody has defined this flag, and `strict="raise"` asks to be told."""

    code = "unknown_flag"
