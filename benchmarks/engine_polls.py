"""When was which rollout polled, how late, and what did that cost?

Both engines are measured by this one, so it knows nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any


class Polls:
    """Hears of every poll; lateness is what lies between two polls beyond the period."""

    def __init__(self, rollouts: int, period: float) -> None:
        self.rollouts, self.period = rollouts, period
        self.all_polled = threading.Event()
        self._last: dict[int, float] = {}
        self._late: list[float] = []
        self._count = 0
        self._counting = False
        self._began = time.monotonic()

    def __call__(self, number: int) -> int:
        """Note a poll of a rollout; return how many there were of it and all others."""
        now = time.monotonic()
        before = self._last.get(number)
        self._last[number] = now
        if self._counting:
            self._count += 1
            if before is not None:
                self._late.append(max(0.0, now - before - self.period))
        if before is None and len(self._last) == self.rollouts:
            self.all_polled.set()
        return self._count

    def until_all(self, patience: float) -> dict[str, Any]:
        """Wait until every rollout has been polled; return what that took since the start."""
        done = self.all_polled.wait(patience)
        return {
            "all_polled": done,
            "polled": len(self._last),
            "seconds": round(time.monotonic() - self._began, 1),
            "cpu_seconds": round(_cpu(), 2),
        }

    def over(self, seconds: float) -> dict[str, Any]:
        """Count for so long, and return what was found."""
        cpu, began = _cpu(), time.monotonic()
        self._count, self._late, self._counting = 0, [], True
        time.sleep(seconds)
        self._counting = False
        took, used = time.monotonic() - began, _cpu() - cpu
        late = sorted(self._late) or [float("nan")]
        planned = self.rollouts * took / self.period
        return {
            "polls": self._count,
            "share_of_planned": round(self._count / planned, 3),
            "cpu_ms": round(1000 * used / max(1, self._count), 2),
            "core_share": round(used / took, 3),
            "late_p50": round(late[len(late) // 2], 2),
            "late_p95": round(late[int(len(late) * 0.95)], 2),
            "mebibytes": _resident(),
        }


def arguments() -> Namespace:
    """Return what both engines are told."""
    parser = ArgumentParser()
    parser.add_argument("--rollouts", type=int, required=True)
    parser.add_argument("--period", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--patience", type=float, default=300)
    parser.add_argument("--again", action="store_true", help="go on with what is there")
    parser.add_argument("--still", action="store_true", help="polls find nothing new")
    return parser.parse_args()


def report(polls: Polls, chosen: Namespace) -> None:
    """Say what was found, and go on until killed."""
    found: dict[str, Any] = {"until_all": polls.until_all(chosen.patience)}
    if chosen.seconds:
        time.sleep(chosen.period)  # the first round is a rush
        found.update(polls.over(chosen.seconds))
    print(json.dumps(found), flush=True)
    sys.stdin.read()
    os._exit(0)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) // 1024
