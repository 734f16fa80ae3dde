"""What is answered when a flag is unknown or cannot be evaluated?"""

from __future__ import annotations

import logging
from contextlib import suppress

from flagstaff.errors import FlagstaffError, UnknownFlag, UsageError
from flagstaff.flags.evaluation import ErrorCode, Evaluation
from flagstaff.flags.explain import failure
from flagstaff.sdk.exposures import Exposures
from flagstaff.sdk.holder import Holder

log = logging.getLogger("flagstaff")

LONGEST_NAME = 200
"""Characters of an unknown name that are kept."""


class Fallback:
    """Answers with a default, counts it, and warns once for each flag."""

    def __init__(self, holder: Holder, exposures: Exposures, *, raises: bool) -> None:
        self._holder, self._exposures, self._raises = holder, exposures, raises

    def answer(self, name: str, exc: Exception, *, default: bool | None) -> bool:
        """Return `default`, else what the definition says, else False.

        Raises:
            UnknownFlag: nobody has defined the flag, and the client is strict.
            UsageError: it cannot be evaluated, and the client is strict.
        """
        name = str(name)[:LONGEST_NAME]
        found = self._holder.compiled.snapshot.flags.get(name)
        if self._raises:
            raise self._raised(name, exc) from (None if found is None else exc)
        if self._holder.ready and self._exposures.unanswered(name):
            # A handler of the application that fails must not fail the question.
            with suppress(Exception):
                shown = _printable(name)
                if found is None:
                    log.warning("nobody has defined the flag %s; its default answers", shown)
                else:
                    log.warning("the flag %s cannot be evaluated: %s", shown, exc)
        if default is not None:
            return default
        return found is not None and found.default

    def evaluation(self, name: str, exc: Exception, *, default: bool | None) -> Evaluation:
        """Return the same answer with the reason `ERROR` and what the error was."""
        value = self.answer(name, exc, default=default)
        name = str(name)[:LONGEST_NAME]
        compiled = self._holder.compiled
        if name in compiled.flags:
            bad_actor = isinstance(exc, UsageError)
            code = ErrorCode.INVALID_CONTEXT if bad_actor else ErrorCode.GENERAL
            words = str(exc)
        elif self._holder.ready:
            code, words = ErrorCode.FLAG_NOT_FOUND, "nobody has defined this flag"
        else:
            code, words = ErrorCode.PROVIDER_NOT_READY, "there is no snapshot yet"
        version = compiled.snapshot.version
        return failure(name, code, value=value, version=version, words=words)

    def _raised(self, name: str, exc: Exception) -> FlagstaffError:
        if isinstance(exc, FlagstaffError):
            return exc
        known = sorted(self._holder.compiled.flags)
        if name in known:
            return UsageError(f"the flag {name!r} cannot be evaluated: {exc}")
        return UnknownFlag(
            f"nobody has defined the flag {name!r}",
            hint=f"add its definition; known are {', '.join(known[:10]) or 'none'}",
        )


def _printable(name: str) -> str:
    """Return the name as any log can take it: half a surrogate pair cannot be encoded."""
    return name.encode("utf-8", "backslashreplace").decode()
