"""What is asked of a broker for a rollout, and done there?

Our own commands are run, as a person would: Celery, and the team's application, stay out of the
server's process.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import timedelta
from pathlib import Path

from flagstaff.definitions import Project
from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.duration import format_duration
from flagstaff.errors import NotFound
from flagstaff.integrations.commands import HARMLESS
from flagstaff.integrations.process import Ended, run
from flagstaff.rollouts.checks import (
    BrokerWork,
    CheckDrained,
    CheckWorkersReady,
    DeleteQueue,
)
from flagstaff.rollouts.effect import ChangeBroker
from flagstaff.rollouts.event import Answer, EffectDone, EffectFailed, EffectHeld

PATIENCE = timedelta(minutes=10)
"""Beyond what a look has to take: a queue may be long, and a machine slow."""

SHOWN = 300
"""Characters of what is missing that stand in a step's note; its output has more."""

_PROGRESS = re.compile(r"[✓✗?] |.*: [\d,]+ of [\d,]+$")

_OURS = {"NO_COLOR": "1", "PYTHONUTF8": "1", "PYTHONWARNINGS": "ignore"}

OURS = (sys.executable, "-m", "flagstaff", "workers")

USAGE = 2
"""The exit code for what no waiting mends: this broker cannot do it, or the names are wrong."""

Check = CheckWorkersReady | CheckDrained


class Brokers:
    """Asks and changes the brokers under `brokers:` in `flagstaff.yml`, and no others."""

    def __init__(self, root: Path, project: Project) -> None:
        self._root, self._project = root, project

    def ask(self, check: Check) -> Answer:
        """Return whether it is so, and if not what is missing.

        Raises:
            NotFound: the project declares no such broker.
        """
        broker = self._declared(check.broker)
        words, seconds = self._words(check, broker)
        ended = self._run(words, broker, seconds)
        return Answer(yes=ended.code == 0, text=_in_words(check, ended), output=ended.output)

    def perform(self, effect: ChangeBroker) -> EffectDone | EffectFailed | EffectHeld:
        """Do it, or say why not yet; begun anew after a crash, it goes on with what is left.

        Raises:
            NotFound: the project declares no such broker.
        """
        broker = self._declared(effect.work.broker)
        ended = self._run(self._work(effect.work, broker), broker, PATIENCE.total_seconds())
        step, output = effect.step, ended.output
        if ended.code == 0:
            return EffectDone(step=step, note=_achieved(ended), output=output)
        if ended.code == USAGE:
            return EffectFailed(step=step, error=_why(ended), output=output)
        return EffectHeld(step=step, reason=_why(ended), output=output)

    def _declared(self, name: str) -> Broker:
        broker = self._project.brokers.get(name)
        if broker is None:
            known = ", ".join(self._project.brokers) or "none"
            raise NotFound(
                f"the project has no broker {name[:60]!r}",
                hint=f"declare it under `brokers:` in flagstaff.yml; there are: {known}",
            )
        return broker

    def _run(self, words: tuple[str, ...], broker: Broker, seconds: float) -> Ended:
        return run(words, self._root / broker.folder, seconds, _environment(broker))

    def _at(self, broker: Broker) -> list[str]:
        words = [*self._reached(broker), "--timeout", format_duration(broker.timeout)]
        if broker.workers:
            words += ["--workers", str(broker.workers)]
        if broker.management:
            words += ["--management", broker.management]
        return words

    def _work(self, work: BrokerWork, broker: Broker) -> tuple[str, ...]:
        at = self._at(broker)
        if isinstance(work, DeleteQueue):
            return (*OURS, "queue", "delete", *at, "--", work.queue)
        if work.old_queue:
            at += ["--old-queue", work.old_queue, "--new-queue", work.new_queue]
        return (*OURS, "migrate", "--leave", *at, "--", work.name, work.to)

    def _words(self, check: Check, broker: Broker) -> tuple[tuple[str, ...], float]:
        words, patience = self._at(broker), PATIENCE
        if isinstance(check, CheckWorkersReady):
            command = "ready"
            words += ["--queue", check.queue] if check.queue else []
        else:
            command = "drained"
            words += ["--stable", format_duration(check.stable)]
            words += [word for each in check.queues for word in ("--queue", each)]
            words += ["--cleaned-up"] if check.cleaned_up else []
            patience += check.stable
        return (*OURS, command, *words, "--", check.name), patience.total_seconds()

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
    return _short(text)


def _achieved(ended: Ended) -> str:
    """Return what was done, without what a person might do next."""
    said = [each for each in _plain(ended) if not each.startswith("next: ")]
    return _short("; ".join(said) or "done")


def _why(ended: Ended) -> str:
    """Return why it was not done: the error with its hint, or what stands at the end."""
    if ended.code is None:
        return ended.why
    said = [each for each in _plain(ended) if not each.startswith("next: ")]
    at = next((n for n, each in enumerate(said) if each.startswith("error: ")), 0)
    return _short("; ".join(said[at:]).removeprefix("error: ") or f"it ended with {ended.code}")


def _plain(ended: Ended) -> list[str]:
    """Return the lines that are no places and no progress."""
    lines = (line.strip() for line in ended.output.splitlines())
    return [line for line in lines if line and not _PROGRESS.match(line)]


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
