"""May a background job's new name be published, and is its old one gone, as a rollout asks it?

Our own commands are run, as a person would: Celery, and the team's application, stay out of the
server's process.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from flagstaff.definitions import Project
from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.duration import format_duration
from flagstaff.errors import NotFound
from flagstaff.integrations.commands import HARMLESS
from flagstaff.integrations.process import Ended, run
from flagstaff.rollouts.checks import CheckDrained, CheckWorkersReady
from flagstaff.rollouts.event import Answer

PATIENCE = timedelta(minutes=10)
"""Beyond what a look has to take: a queue may be long, and a machine slow."""

SHOWN = 300
"""Characters of what is missing that stand in a step's note; its output has more."""

_OURS = {"NO_COLOR": "1", "PYTHONUTF8": "1", "PYTHONWARNINGS": "ignore"}

Check = CheckWorkersReady | CheckDrained


class Brokers:
    """Asks the brokers under `brokers:` in `flagstaff.yml`, and no others."""

    def __init__(self, root: Path, project: Project) -> None:
        self._root, self._project = root, project

    def ask(self, check: Check) -> Answer:
        """Return whether it is so, and if not what is missing.

        Raises:
            NotFound: the project declares no such broker.
        """
        broker = self._project.brokers.get(check.broker)
        if broker is None:
            known = ", ".join(self._project.brokers) or "none"
            raise NotFound(
                f"the project has no broker {check.broker[:60]!r}",
                hint=f"declare it under `brokers:` in flagstaff.yml; there are: {known}",
            )
        words, seconds = self._words(check, broker)
        ended = run(words, self._root / broker.folder, seconds, _environment(broker))
        return Answer(yes=ended.code == 0, text=_in_words(check, ended), output=ended.output)

    def _words(self, check: Check, broker: Broker) -> tuple[tuple[str, ...], float]:
        words = [*self._reached(broker), "--timeout", format_duration(broker.timeout)]
        if broker.workers:
            words += ["--workers", str(broker.workers)]
        if broker.management:
            words += ["--management", broker.management]
        patience = PATIENCE
        if isinstance(check, CheckWorkersReady):
            command = "ready"
            words += ["--queue", check.queue] if check.queue else []
        else:
            command = "drained"
            words += ["--stable", format_duration(check.stable)]
            words += [word for each in check.queues for word in ("--queue", each)]
            patience += check.stable
        head = (sys.executable, "-m", "flagstaff", "workers", command)
        return (*head, *words, "--", check.name), patience.total_seconds()

    def _reached(self, broker: Broker) -> tuple[str, str]:
        if broker.app:
            return "--app", broker.app
        if broker.url_file:
            return "--broker-file", str((self._root / broker.url_file).resolve())
        return "--broker", broker.url


def _environment(broker: Broker) -> dict[str, str]:
    names = (*HARMLESS, "PYTHONPATH", *broker.environment)
    found = {name: os.environ[name] for name in names if name in os.environ} | _OURS
    # Only the team's application is to be found in its folder, which may hold a `redis.py` as well.
    return found if broker.app else found | {"PYTHONSAFEPATH": "1"}


def _in_words(check: Check, ended: Ended) -> str:
    """Return how it stands: the verdict is the last line, what is missing stands above it."""
    *above, last = ended.output.splitlines() or [""]
    if ended.code == 0:
        ready = isinstance(check, CheckWorkersReady)
        return f"every worker knows {check.name}" if ready else f"{check.name} is {last}"
    if ended.code is None:
        return f"{check.name}: {ended.why}"
    if isinstance(check, CheckDrained):
        missing = [each[2:] for each in above if each.startswith(("✗ ", "? "))]
    else:
        missing = [each for each in above if not each.startswith(("✗ ", "✓ "))]
    text = f"{last}: {'; '.join(missing)}" if missing else last
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
