"""What has to be done under uWSGI, which forks behind the interpreter's back?"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

log = logging.getLogger("flagstaff")


def tell_after_fork(told: Callable[[], None]) -> None:
    """Call `told` in every worker of uWSGI; do nothing elsewhere.

    uWSGI runs the hooks of `os.register_at_fork` only with `py-call-osafterfork`. Its own hook is
    one variable, which `uwsgidecorators` shares out: without that, a hook set before is kept.
    """
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is None:
        return
    with suppress(Exception):
        import_module("uwsgidecorators").postfork(told)
        return
    earlier: Callable[[], None] | None = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        if earlier is not None:
            earlier()
        told()

    uwsgi.post_fork_hook = hook  # type: ignore[attr-defined]


def warn_without_threads() -> None:
    """Warn if uWSGI was started so that no thread of ours can ever run."""
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is not None and not {"enable-threads", "threads"} & set(getattr(uwsgi, "opt", {})):
        log.warning("uWSGI runs without threads, so flags do not change; add --enable-threads")
