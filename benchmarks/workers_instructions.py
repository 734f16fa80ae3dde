"""How many of the processor's instructions does watching cost a job, next to plain Celery?

A worker of each side runs under Valgrind's cachegrind (Debian's package `valgrind`), twice, once
with more jobs; what a job takes is the difference. It is the same to a thousandth in every run,
however busy the machine is, so it tells what a change is worth; `workers_watch` tells what it comes
to in time. Without a server, and without looks into the queue: under Valgrind all is slow but the
clock, so what goes by the clock would seem dear. `workers_watch` has both.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.workers_watch import JOBS, SIDES, TARGETS, WORKER, broker_in

FEW, MANY = 500, 2_000


def main() -> int:
    """Count, print what was found as JSON, and return 1 if the target of running is missed."""
    argparse.ArgumentParser(prog="workers_instructions").parse_args()
    if shutil.which("valgrind") is None:
        sys.stderr.write("valgrind is not installed: it is a package of Debian\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, broker_in(Path(folder)) as environment:
        there = {**environment, "ALONE": "1"}
        each = {side: _each(side, there) for side in SIDES}
    ratios = {side: round(found / each["plain"], 4) for side, found in each.items()}
    sys.stdout.write(json.dumps({"instructions": each, "ratio": ratios}, indent=1) + "\n")
    return 1 if max(ratios.values()) > TARGETS["execution"] else 0


def _each(side: str, environment: dict[str, str]) -> int:
    """Return how many instructions one job of a side takes."""
    few, many = (_counted({**environment, "SIDE": side, "JOBS": str(n)}) for n in (FEW, MANY))
    return (many - few) // (MANY - FEW)


def _counted(environment: dict[str, str]) -> int:
    """Return the instructions of a worker that runs so many jobs and ends with the last."""
    subprocess.run([sys.executable, "-m", JOBS], env=environment, check=True, timeout=600)
    counting = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
    ]
    done = subprocess.run(
        [*counting, sys.executable, "-m", "celery", "-A", f"{JOBS}:app", "worker", *WORKER],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=3_600,
    )
    found = re.search(r"I +refs: +([\d,]+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))
